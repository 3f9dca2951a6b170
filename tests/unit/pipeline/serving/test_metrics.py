"""What /metrics tells: numbers of this process, and of those beside it."""

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipeline.serving.metrics import ServingMetrics


def values(page: bytes) -> dict[str, float]:
    """Samples by name and labels."""
    return {
        ",".join(
            [sample.name, *(f"{k}={v}" for k, v in sorted(sample.labels.items()))]
        ): sample.value
        for family in text_string_to_metric_families(page.decode())
        for sample in family.samples
    }


def count(metrics: ServingMetrics) -> None:
    metrics.request("rest", "predict", "OK", 0.001)
    metrics.request("rest", "predict", "OK", 0.0011)
    metrics.request("grpc", "predict", "NOT_FOUND", 60.0)
    metrics.rows("edge", 7, 5)
    metrics.batches.observe(5)


def test_requests_rows_and_batches_are_counted() -> None:
    metrics = ServingMetrics()
    assert values(metrics.page({}, 0))["tfx_serving_batch_rows_count"] == 0
    count(metrics)
    found = values(metrics.page({"edge": 7}, 3))
    assert found["tfx_serving_requests_total,code=OK,method=predict,protocol=rest"] == 2
    assert found["tfx_serving_requests_total,code=NOT_FOUND,method=predict,protocol=grpc"] == 1
    buckets = {le: found[f"tfx_serving_request_seconds_bucket,le={le},protocol=rest"]
               for le in ("0.0005", "0.001", "0.0025", "+Inf")}  # fmt: skip
    assert buckets == {"0.0005": 0, "0.001": 1, "0.0025": 2, "+Inf": 2}, "a bound is within"
    assert found["tfx_serving_request_seconds_sum,protocol=rest"] == pytest.approx(0.0021)
    assert found["tfx_serving_request_seconds_bucket,le=5.0,protocol=grpc"] == 0
    assert found["tfx_serving_request_seconds_count,protocol=grpc"] == 1
    assert found["tfx_serving_rows_total,target=edge,version=7"] == 5
    assert found["tfx_serving_batch_rows_bucket,le=4.0"] == 0
    assert found["tfx_serving_batch_rows_bucket,le=8.0"] == 1
    assert found["tfx_serving_live_version,target=edge"] == 7
    assert found["tfx_serving_log_dropped"] == 3


def test_processes_add_up_those_that_ended_too(tmp_path: Path) -> None:
    here, there = ServingMetrics(tmp_path), ServingMetrics(tmp_path)
    for metrics in (here, there):
        count(metrics)
    there.publish(2)
    found = values(here.page({"edge": 7}, 1))
    assert found["tfx_serving_requests_total,code=OK,method=predict,protocol=rest"] == 4
    assert found["tfx_serving_request_seconds_count,protocol=grpc"] == 2
    assert found["tfx_serving_batch_rows_sum"] == 10
    assert found["tfx_serving_log_dropped"] == 3
    here.publish(1)
    del there
    assert (
        values(ServingMetrics(tmp_path).page({}, 0))["tfx_serving_rows_total,target=edge,version=7"]
        == 10
    )


def test_what_has_not_changed_is_not_written_again(tmp_path: Path) -> None:
    metrics = ServingMetrics(tmp_path)
    metrics.publish(0)
    [path] = tmp_path.iterdir()
    written = path.stat().st_mtime_ns
    metrics.publish(0)
    assert path.stat().st_mtime_ns == written
    count(metrics)
    metrics.publish(0)
    assert [*tmp_path.iterdir()] == [path]
    assert path.stat().st_mtime_ns > written
