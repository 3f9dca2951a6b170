"""Who is answered by a canary, and what happens when it is not there."""

import asyncio
import json
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.config import Config
from core.errors import InputError
from core.operation import LogSection
from pipeline.cli.main import main
from pipeline.config.load import load
from pipeline.serving.options import CanaryName, ServeOptions, ShadowName, read_canary
from pipeline.serving.request_log import RequestLog, log_files
from pipeline.serving.serve import check_there_is_a_version
from pipeline.serving.service import Service
from tests.support.servers.columns_model import ColumnsModel, row
from tests.support.servers.in_process import ask, make, push

MODEL, COLUMNS = "/v1/models/census:predict", {"signature_name": "serving_columns"}
LIVE, BEFORE, OLD = 9, 7, 5


@pytest.fixture(scope="module")
def census() -> Config:
    return load("census")


@pytest.fixture
def served(tmp_path: Path) -> Path:
    folder = tmp_path / "served"
    for version in (OLD, BEFORE, LIVE):
        push(folder, version)
    return folder


def model(version: int) -> ColumnsModel:
    """Version 5 answers .05 above the age."""
    return ColumnsModel(0.05 if version == OLD else 0.0)


def by_canary(service: Service, age: int, headers: dict[str, str] | None = None) -> bool:
    code, found = ask(
        service, MODEL, {**COLUMNS, "instances": [row(age=age), row(age=50)]}, headers
    )
    assert code == 200, found
    [[first], _] = found["predictions"]
    assert first == pytest.approx(age / 100) or first == pytest.approx(age / 100 + 0.05)
    return bool(first > age / 100 + 0.01)


def test_a_version_that_is_neither_live_nor_previous_gets_its_share(
    census: Config, served: Path
) -> None:
    service = make(census, served, model, CanaryName(OLD, 0.3))
    assert service.served.labels == {"live": LIVE, "previous": BEFORE, "canary": OLD}
    found = [by_canary(service, age) for age in range(17, 66)]
    assert 5 < sum(found) < 25
    assert found == [by_canary(service, age) for age in range(17, 66)], "the same rows again"
    everything = make(census, served, model, CanaryName(OLD, 1.0))
    assert all(by_canary(everything, age) for age in range(17, 66))
    nothing = make(census, served, model, CanaryName(OLD, 0.0))
    assert not any(by_canary(nothing, age) for age in range(17, 66))


def test_a_key_goes_to_the_same_version_whatever_is_asked(census: Config, served: Path) -> None:
    name = CanaryName(OLD, 0.25, header="x-user")
    service, again = make(census, served, model, name), make(census, served, model, name)
    users = [f"u{n}" for n in range(200)]
    first = {user: by_canary(service, 20, {"X-User": user}) for user in users}
    assert 0.15 < np.mean([*first.values()]) < 0.35
    assert first == {user: by_canary(again, 60, {"X-User": user}) for user in users}
    wider = make(census, served, model, CanaryName(OLD, 0.5, header="x-user"))
    assert all(by_canary(wider, 20, {"X-User": user}) for user in users if first[user])
    without = [by_canary(service, age) for age in range(17, 66)]
    assert any(without), "without the header the row is the key"
    assert not all(without)


def test_a_column_is_a_key_in_whatever_way_it_is_sent(census: Config, served: Path) -> None:
    service = make(census, served, model, CanaryName(OLD, 0.5, column="age"))
    found = {age: by_canary(service, age) for age in range(17, 66)}
    assert 10 < sum(found.values()) < 40
    for age, chosen in found.items():
        document = {**COLUMNS, "instances": [row(age=float(age), gain=7, sex="Female")]}
        _, answered = ask(service, MODEL, document)
        assert (answered["predictions"][0][0] > age / 100 + 0.01) == chosen, age


def test_who_names_a_version_gets_it(census: Config, served: Path) -> None:
    service = make(census, served, model, CanaryName(OLD, 1.0))
    document = {**COLUMNS, "instances": [row(age=20)]}

    def answer(path: str) -> float:
        code, found = ask(service, f"/v1/models/census{path}:predict", document)
        assert code == 200, found
        value: float = found["predictions"][0][0]
        return round(value, 4)

    assert answer("") == answer("/labels/canary") == answer(f"/versions/{OLD}") == 0.25
    assert answer("/labels/live") == answer(f"/versions/{LIVE}") == 0.2
    tensors = [
        {"name": name, "shape": [1], "data": [value],
         "datatype": "BYTES" if isinstance(value, str) else "FP32"}
        for name, value in row(age=20).items()
    ]  # fmt: skip
    for path, version in (("", OLD), (f"/versions/{LIVE}", LIVE)):
        _, found = ask(service, f"/v2/models/census{path}/infer", {"inputs": tensors})
        assert found["model_version"] == str(version)
    assert ask(service, "/v2/models/census")[1]["versions"] == ["5", "7", "9"]
    assert ask(service, "/compare", row(age=20))[1]["answers"][0]["version"] == LIVE


def test_a_canary_that_goes_gives_its_share_back_and_takes_it_again(
    census: Config, served: Path, caplog: pytest.LogCaptureFixture
) -> None:
    service = make(census, served, model, CanaryName(OLD, 1.0))
    assert by_canary(service, 20)
    shutil.rmtree(served / str(OLD))
    asyncio.run(service.served.look())
    assert service.served.labels == {"live": LIVE, "previous": BEFORE}
    assert not by_canary(service, 20)
    state = service.served.status("census", OLD)[OLD]
    assert (state.state, state.error) == (
        "END", "its folder is gone; the live version answers its share"
    )  # fmt: skip
    assert "version 5 is gone and no canary any more" in caplog.text
    push(served, OLD)
    asyncio.run(service.served.look())
    assert by_canary(service, 20)
    shutil.rmtree(served)
    asyncio.run(service.served.look())
    assert by_canary(service, 20), "an empty folder takes nothing away"


def test_a_canary_that_becomes_live_is_none(
    census: Config, served: Path, caplog: pytest.LogCaptureFixture
) -> None:
    service = make(census, served, model, CanaryName(OLD, 0.5))
    for version in (LIVE, BEFORE):
        shutil.rmtree(served / str(version))
    asyncio.run(service.served.look())
    assert service.served.labels == {"live": OLD}
    assert by_canary(service, 20)
    assert "version 5 is live and no canary any more" in caplog.text


def test_a_canary_that_cannot_be_loaded_or_does_not_answer_spoils_nothing(
    census: Config, served: Path, tmp_path: Path
) -> None:
    def broken(version: int) -> ColumnsModel:
        if version == OLD:
            raise ValueError("no model in it")
        return ColumnsModel()

    service = make(census, served, broken, CanaryName(OLD, 1.0))
    assert service.served.labels == {"live": LIVE, "previous": BEFORE}
    assert not by_canary(service, 20)

    class Failing(ColumnsModel):
        def answer(self, numbers: np.ndarray, texts: np.ndarray) -> np.ndarray:
            raise ValueError("out of order")

    class Wider(ColumnsModel):
        numbers = ("age", "height")

    for number, (other, words) in enumerate(
        ((Failing(), "the model failed: out of order"), (Wider(), "it takes column 'height'"))
    ):
        log = RequestLog(tmp_path / str(number), "server", LOGGED)
        models = defaultdict(ColumnsModel, {OLD: other})
        failing = make(census, served, models.__getitem__, CanaryName(OLD, 1.0), log)
        assert not by_canary(failing, 20)
        log.close()
        first, _ = lines(tmp_path / str(number))
        assert first["version"] == LIVE
        assert (first["canary"]["version"], first["canary"]["chosen"]) == (OLD, True)
        assert first["canary"]["error"].startswith(words)


LOGGED = LogSection(sample=1.0, file_bytes=2**20, bytes=2**22, leave_out=())


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in log_files(folder) for line in path.open()]


def test_the_log_says_whose_turn_it_was(census: Config, served: Path, tmp_path: Path) -> None:
    log = RequestLog(tmp_path / "requests", "server", LOGGED)
    service = make(census, served, model, CanaryName(OLD, 0.5), log)
    chosen = [by_canary(service, age) for age in range(17, 66)]
    document = {**COLUMNS, "instances": [row()]}
    ask(service, "/v1/models/census/labels/live:predict", document)
    log.close()
    *routed, named = lines(tmp_path / "requests")
    assert [line["canary"]["chosen"] for line in routed[::2]] == chosen
    assert {line["version"] for line in routed if line["canary"]["chosen"]} == {OLD}
    assert {line["version"] for line in routed if not line["canary"]["chosen"]} == {LIVE}
    assert "canary" not in named


COLUMN_NAMES = ("age", "native-country")


@pytest.mark.parametrize(
    ("text", "key", "found"),
    [
        ("5:0.1", None, CanaryName(5, 0.1)),
        ("5:0", None, CanaryName(5, 0.0)),
        ("5:1", "native-country", CanaryName(5, 1.0, column="native-country")),
        ("5:.25", "X-User-Id", CanaryName(5, 0.25, header="x-user-id")),
        ("5:1e-3", "Age", CanaryName(5, 0.001, header="age")),
    ],
)
def test_what_a_canary_may_be(text: str, key: str | None, found: CanaryName) -> None:
    assert read_canary(text, key, COLUMN_NAMES) == found
    assert read_canary(None, None, COLUMN_NAMES) is None


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("5", None, "give the number of a version and a share"),
        ("previous:0.1", None, "give the number of a version and a share"),
        ("5:nan", None, "give the number of a version and a share"),
        ("5:-0.1", None, "give the number of a version and a share"),
        ("5:10%", None, "give the number of a version and a share"),
        ("", None, "give the number of a version and a share"),
        ("5:1.5", None, "1.5 is no share of the requests; give 0 to 1"),
        ("5:1e300", None, "is no share of the requests"),
        ("5:0.1", "x user", "no column that the models take"),
        ("5:0.1", "", "no column that the models take"),
        (None, "X-User", "there is no --canary"),
    ],
)
def test_what_it_may_not_be(text: str | None, key: str | None, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_canary(text, key, COLUMN_NAMES)


def test_versions_that_are_not_there_stop_before_the_server_listens(
    census: Config, tmp_path: Path, capsys: Any
) -> None:
    served = tmp_path / "census" / "edge" / "census"
    for version in (OLD, LIVE):
        push(served, version)
    folder = tmp_path / "census"

    def check(canary: int | None, shadow: int | None = None) -> int:
        told = CanaryName(canary, 0.1) if canary is not None else None
        beside = ShadowName("edge", None, shadow) if shadow is not None else None
        options = ServeOptions(census, folder, "edge", None, None, beside, told)
        return check_there_is_a_version(options)

    assert check(OLD, OLD) == LIVE
    with pytest.raises(InputError, match=r"--canary 6: no such version in .*; there are 9, 5"):
        check(6)
    with pytest.raises(InputError, match="--canary 9: is the live version of edge"):
        check(LIVE)
    with pytest.raises(InputError, match="--shadow 6: no such version"):
        check(None, 6)
    flags = ["--target", "edge", "--port", "0", "--grpc-port", "-1", "--root", str(tmp_path)]
    for wrong in ("6:0.1", "9:0.1", "5:2"):
        assert main(["serve", *flags, "--canary", wrong]) == 2
    assert capsys.readouterr().err.count("--canary") == 3
