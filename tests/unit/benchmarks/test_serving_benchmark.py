"""What the benchmark of `serve` takes from wrk, and which answers it counts as wrong."""

import pytest

from benchmarks.measure import MeasurementError
from benchmarks.served.serving_load import Load, TimedAnswer, told_by_wrk
from benchmarks.serving.__main__ import median_load
from benchmarks.serving.changing import possible, whole

PRINTED = """Running 5s test @ http://127.0.0.1:9861/v1/models/smoke:predict
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     5.21ms    1.02ms  44.55ms   89.99%
    Req/Sec     6.10k   522.10     7.00k    74.00%
  Latency Distribution
     50%    4.41ms
     75%    5.00ms
     90%  900.00us
     99%    1.25s
  30355 requests in 5.00s, 5.36MB read
{more}Requests/sec:   6069.91
Transfer/sec:      1.07MB
"""


def test_what_wrk_prints() -> None:
    found = told_by_wrk(PRINTED.format(more=""), 3.0355)
    assert found == Load(6069.91, 4.41, 1250.0, 0, found.cpu_us)
    assert found.cpu_us == pytest.approx(100.0)
    errors = "  Socket errors: connect 1, read 2, write 0, timeout 4\n"
    errors += "  Non-2xx or 3xx responses: 10\n"
    assert told_by_wrk(PRINTED.format(more=errors), 1.0).failed == 17
    with pytest.raises(MeasurementError, match="wrk had no answer"):
        told_by_wrk("unable to connect to 127.0.0.1:1", 0.0)


def test_of_several_loads_the_one_in_the_middle_and_all_failures() -> None:
    loads = [Load(1.0, 1.0, 1.0, failed, cpu) for failed, cpu in ((0, 90.0), (2, 70.0), (1, 80.0))]
    assert median_load(loads) == Load(1.0, 1.0, 1.0, 3, 80.0)


def test_an_answer_is_of_a_version_that_was_live() -> None:
    live = [(0.0, 10.2, 1), (10.0, 20.1, 2), (20.0, 99.0, 1)]
    values = {1: 0.1, 2: 0.2}
    assert possible(TimedAnswer(1.0, 2.0, 0.1), live, values) == {0.1}
    assert possible(TimedAnswer(10.1, 10.15, 0.1), live, values) == {0.1, 0.2}
    assert possible(TimedAnswer(12.0, 13.0, 0.1), live, values) == {0.2}
    assert possible(TimedAnswer(9.0, 25.0, 0.2), live, values) == {0.1, 0.2}


def test_a_line_is_whole_when_it_is_json_and_ends() -> None:
    assert whole(b'{"request": "x"}\n')
    assert not whole(b'{"request": "x"}')
    assert not whole(b'{"request": "x\n')
