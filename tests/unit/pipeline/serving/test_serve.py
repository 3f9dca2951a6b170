"""What `serve` asks for before it listens, and what it does without TensorFlow."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError
from core.files import REPOSITORY
from pipeline.cli.main import main
from pipeline.config.load import load
from pipeline.serving.app import token_check
from pipeline.serving.contract import read_columns
from pipeline.serving.serve import listen, read_token


def test_a_token_comes_from_a_variable_or_a_file(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(" secret\n")
    assert read_token(load("census"), {}) is None
    from_file = load("census", [f"serving.token_file={path}"])
    assert read_token(from_file, {}) == "secret"
    from_variable = load("census", ["serving.token_variable=TOKEN"])
    assert read_token(from_variable, {"TOKEN": "secret"}) == "secret"
    for variables in ({"OTHER": "x"}, {"TOKEN": " "}, {"TOKEN": "two words"}, {"TOKEN": "é"}):
        with pytest.raises(InputError, match="the variable TOKEN holds no token"):
            read_token(from_variable, variables)
    path.unlink()
    with pytest.raises(InputError, match=r"serving.token_file: .* cannot be read"):
        read_token(from_file, {})
    with pytest.raises(InputError, match="give one of them"):
        load("census", ["serving.token_variable=TOKEN", "serving.token_file=x"])


def test_a_token_is_compared_whole() -> None:
    check = token_check("secret")
    assert check("Bearer secret")
    assert check("bearer  secret ")
    for given in (None, "", "secret", "Bearer", "Bearer secre", "Bearer secrets", "Basic secret"):
        assert not check(given), given
    assert not check("Bearer sécret")
    assert token_check(None)(None)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("log.leave_out", "[age, agee]", "there is no column 'agee'"),
        ("log.file_bytes", "2000000000", "more than serving.log.bytes"),
        ("log.sample", "1.5", "serving.log.sample"),
        ("out_of_domain", "ignore", "serving.out_of_domain"),
        ("workers", "0", "serving.workers"),
    ],
)
def test_keys_that_make_no_sense_are_refused(key: str, value: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load("census", [f"serving.{key}={value}"])


def test_an_address_that_is_taken_is_named() -> None:
    with listen("127.0.0.1", 0) as taken, pytest.raises(InputError, match=r": .* in use"):
        listen("127.0.0.1", taken.getsockname()[1])
    with pytest.raises(InputError, match=r"192\.0\.2\.1"):
        listen("192.0.2.1", 0)


def test_two_servers_share_no_port(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "census" / "edge" / "census" / "1").mkdir(parents=True)
    flags = ["--target", "edge", "--port", "0", "--root", str(tmp_path)]
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", *flags, "--grpc-port", str(port)]) == 2
        assert main(["serve", *flags[:2], "--port", str(port), *flags[4:]]) == 2
    error = capsys.readouterr().err
    assert error.count(f"port {port}: ") == 2
    assert "--grpc-port name another" in error
    for wrong in (["--port", "65536"], ["--port", "-1"], ["--grpc-port", "-2"], ["--port", "x"]):
        with pytest.raises(SystemExit) as ended:
            main(["serve", *flags, *wrong])
        assert ended.value.code == 2


def test_without_a_version_there_is_nothing_to_serve(tmp_path: Path, capsys: Any) -> None:
    code = main(["serve", "--target", "edge", "--port", "0", "--root", str(tmp_path)])
    assert code == 2
    assert "no version in" in capsys.readouterr().err


def test_the_contract_says_what_a_column_may_hold() -> None:
    columns = read_columns(REPOSITORY / "schema" / "census" / "schema.pbtxt", {})
    age, work = columns["age"], columns["workclass"]
    assert (age.kind, age.required, age.low, age.high, age.values) == ("INT", True, 17, 90, None)
    assert (work.kind, work.required) == ("BYTES", False)
    assert work.values is not None
    assert "State-gov" in work.values


def test_messages_are_there_without_tensorflow() -> None:
    code = (
        "import sys\n"
        "from pipeline.serving.serve import messages_without_tensorflow\n"
        "messages_without_tensorflow()\n"
        "from tensorflow.core.example import example_pb2\n"
        "from tensorflow_serving.apis import prediction_service_pb2_grpc\n"
        "import pipeline.serving.app, models.export.serve_edge\n"
        "heavy = {'tfx', 'apache_beam', 'ml_metadata', 'pandas', 'keras'} & {*sys.modules}\n"
        "assert not heavy and 'tensorflow.python' not in sys.modules, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=True)
