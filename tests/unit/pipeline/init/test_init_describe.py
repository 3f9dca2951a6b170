"""`init`: contract, example function, suspect columns, files, and nothing half-written."""

import ast
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from google.protobuf import text_format
from snorkel.labeling import LabelingFunction
from tensorflow_metadata.proto.v0 import schema_pb2

from core import raw_table
from core.errors import InputError
from core.files import REPOSITORY
from models.labels.votes import NEGATIVE, POSITIVE
from pipeline.cli.main import main
from pipeline.config.overlay import parse_yaml
from pipeline.init import contract, describe, example, files, leaks, proposal
from pipeline.init.example import Example
from pipeline.init.files import InitOrigin
from pipeline.init.proposal import InitRequest, Proposal

ORIGIN = InitOrigin("2026-01-02", "python -m pipeline init ...")
SMOKE = {"data": {"rows": 2000}, "labeling": {"gold_rows": 100}}
EXAMPLE = Example("size", ">=", 12.5, POSITIVE, 9, 10, 0.3, 0.2, above_chance=True)


def table(rows: int = 120) -> str:
    """`size` decides `y`; `note` is empty in every third row; the first half has labels."""
    lines = ['Größe,"Note, kind",y']
    for n in range(rows):
        size = n % 10
        label = ("", "ja" if size > 5 else "nein")[n % 2]
        lines.append(f'"1.{size:03d},5",{"" if n % 3 == 0 else "abc"[n % 2]},{label}')
    return "\n".join(lines) + "\n"


def request(path: Path, **changes: object) -> InitRequest:
    asked: dict[str, object] = {
        "csv": path, "label": "y", "name": "sizes", "positive": None, "test_fraction": 0.3,
        "missing": (), "kinds": {}, **changes,
    }  # fmt: skip
    return InitRequest(**asked)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def proposed() -> tuple[Proposal, dict[str, dict[str, list[str]]]]:
    found = proposal.read(table().encode(), "x.csv")
    made = proposal.propose(request(Path("x.csv")), found, SMOKE)
    return made, dict(raw_table.parts(made.source, found.header, found.rows, "x.csv"))


def test_the_contract(proposed: tuple[Proposal, dict[str, dict[str, list[str]]]]) -> None:
    made, parts = proposed
    schema = contract.infer(parts, made, smallest_split=20)
    assert contract.anomalies(parts, made, schema) == []
    read = text_format.Parse(contract.render(schema), schema_pb2.Schema())
    assert read == schema
    features = {feature.name: feature for feature in read.feature}
    assert list(features) == ["grosse", "note_kind", "y", "row_id"]
    size, note, label = (features[name] for name in ("grosse", "note_kind", "y"))
    assert (size.type, size.float_domain.min, size.presence.min_fraction) == (
        schema_pb2.FLOAT,
        0,
        1,
    )
    assert size.drift_comparator.jensen_shannon_divergence.threshold == 0.05
    assert (note.type, note.domain) == (schema_pb2.BYTES, "note_kind")
    assert 0.1 <= note.presence.min_fraction <= 0.4
    assert list(label.not_in_environment) == ["SERVING"]
    domains = {domain.name: list(domain.value) for domain in read.string_domain}
    assert domains == {"note_kind": ["a", "b"], "y": ["nein", "ja"]}


def test_a_contract_of_other_rows_does_not_fit(
    proposed: tuple[Proposal, dict[str, dict[str, list[str]]]],
) -> None:
    made, parts = proposed
    schema = contract.infer(parts, made, smallest_split=20)
    other = {"test": {**parts["test"], "note_kind": ["z"] * len(parts["test"]["y"])}}
    [problem] = contract.anomalies(other, made, schema)
    assert problem.startswith("test, note_kind: ")


@pytest.mark.parametrize(
    ("share", "smallest", "least"), [(1.0, 10, 1.0), (0.9, 4000, 0.85), (0.5, 10, 0.0)]
)
def test_the_share_that_must_be_present(share: float, smallest: int, least: float) -> None:
    assert contract.least_presence(share, smallest) == pytest.approx(least, abs=0.051)


def test_the_example_is_the_condition_that_gold_rows_speak_for() -> None:
    size = [float(n % 10) for n in range(200)]
    city = ["Rome" if n % 2 else "Oslo" for n in range(200)]
    gold = {n: POSITIVE if n % 10 >= 7 else NEGATIVE for n in range(0, 200, 3)}
    found = example.find({"city": city, "size": size}, gold)
    assert found is not None
    assert (found.column, found.above_chance) == ("size", True)
    assert found.right == found.gold
    assert found.coverage <= example.MOST_COVERAGE


def test_the_example_for_free_text_is_a_word() -> None:
    said = ["Please call us now" if n % 4 == 0 else "see you later then" for n in range(80)]
    gold = {n: POSITIVE if n % 4 == 0 else NEGATIVE for n in range(80)}
    found = example.find({"said": said}, gold, ["said"])
    assert found is not None
    assert (found.operator, found.value, found.right) == (example.HAS_WORD, "call", 20)


def test_without_a_condition_for_a_fair_share_of_rows_there_is_no_example() -> None:
    gold = {n: n % 2 for n in range(40)}
    assert example.find({"a": ["x"] * 40, "b": [None] * 40}, gold) is None


def test_a_column_that_tells_the_label_is_suspect() -> None:
    gold = {n: POSITIVE if n % 4 == 0 else NEGATIVE for n in range(80)}
    columns: dict[str, Sequence[float | str | None]] = {
        "told": [float(n % 4 == 0) if n % 20 else None for n in range(80)],
        "word": ["yes" if n % 4 == 0 else "no" for n in range(80)],
        "other": [float(n % 7) for n in range(80)],
        "name": [f"N{n}" for n in range(80)],
    }
    assert [column for column, _ in leaks.find(columns, gold)] == ["word"]
    columns["told"] = [float(n % 4 != 0) for n in range(80)]
    assert [column for column, _ in leaks.find(columns, gold)] == ["told", "word"]
    assert leaks.find(columns, {n: gold[n] for n in range(20)}) == []


@pytest.mark.parametrize(
    "written",
    [
        EXAMPLE,
        Example("a-b", "<=", -3.0, NEGATIVE, 4, 4, 0.7, 0.1, above_chance=False),
        Example("city", "==", 'S\u00e3o "Paulo"\n\\', NEGATIVE, 4, 4, 0.7, 0.1, above_chance=True),
        Example("said", "has word", "nope", NEGATIVE, 4, 4, 0.7, 0.1, above_chance=True),
        Example("2nd", "==", "\u7532", POSITIVE, 4, 4, 0.7, 0.1, above_chance=True),
    ],
)
def test_the_modules_are_python_and_the_function_votes(
    proposed: tuple[Proposal, dict[str, dict[str, list[str]]]], written: Example
) -> None:
    made, _ = proposed
    texts = files.render(made, "", written, b"raw", ORIGIN)
    ast.parse(texts["data/sizes/spans.py"])
    scope: dict[str, object] = {}
    exec(texts["data/sizes/labeling_functions.py"], scope)
    [function] = [each for each in scope.values() if isinstance(each, LabelingFunction)]
    values = {written.column: written.value}
    assert function(values) == written.vote
    other = {"==": "elsewhere", ">=": 12.0, "<=": 0, "has word": "a \n b"}[written.operator]
    assert function({written.column: other}) == -1
    assert function({written.column: None}) == -1


def test_what_is_written_is_formatted(
    proposed: tuple[Proposal, dict[str, dict[str, list[str]]]], tmp_path: Path
) -> None:
    """Quotes in headers, a docstring that takes two lines."""
    made, _ = proposed
    columns = [replace(made.columns[0], header='Size "gross"'), *made.columns[1:]]
    source = replace(made.source, columns=tuple(columns))
    unsure = replace(EXAMPLE, above_chance=False, gold=1000, right=100)
    contents = files.render(replace(made, source=source), "", unsure, b"", ORIGIN)
    for path, content in contents.items():
        if path.endswith(".py"):
            (tmp_path / Path(path).name).write_bytes(content)
    config = ["--config", str(REPOSITORY / "pyproject.toml")]
    for check in (["check", "-q"], ["format", "--check", "-q"]):
        ruff = [sys.executable, "-m", "ruff", *check, *config, str(tmp_path)]
        done = subprocess.run(ruff, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("value", ["a", 'a "b"', "it's", '"it\'s"', '\\"', '"\\', "c\nd\x00", 1.5])
def test_values_are_python(value: object) -> None:
    assert ast.literal_eval(files.python_text(value)) == value


def test_texts_are_quoted_where_yaml_would_read_something_else() -> None:
    texts = [
        "yes",
        "1",
        "a: b",
        "# x",
        "Credit Card",
        "null",
        "<=50K",
        "-",
        'a"b\\',
        "K\u00f6ln",
        "1.5",
    ]
    assert [parse_yaml(files.yaml_text(text), "x") for text in texts] == texts
    assert files.yaml_text("Credit Card") == "Credit Card"


def test_a_header_of_several_lines_stays_within_its_comment() -> None:
    """Spreadsheets write such headers."""
    found = proposal.read(table().replace(",y\n", ',"y or\nn"\n', 1).encode(), "x.csv")
    asked = request(Path("x.csv"), label="y or\nn")
    made = proposal.propose(asked, found, SMOKE)
    origin = InitOrigin("2026-01-02", "python -m pipeline init --label 'y or\nn'")
    contents = files.render(made, "", EXAMPLE, b"", origin)
    assert (
        parse_yaml(contents["configs/sizes.yaml"].decode(), "sizes.yaml")["columns"]["label"]
        == "y_or_n"
    )
    assert (
        "| Made by | `python -m pipeline init --label 'y or n'` |"
        in contents["data/sizes/README.md"].decode()
    )


@pytest.mark.parametrize("share", ["much", "nan", "0", "0.6"])
def test_a_share_out_of_bounds_is_refused(share: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["init", "--csv", "x", "--label", "y", "--name", "z", "--test-fraction", share])
    assert f"{share} is not a share from 0.05 to 0.5" in capsys.readouterr().err


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that `init` takes for the repository, so that the check of what it wrote fails."""
    for name in ("data", "schema", "configs"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(describe, "REPOSITORY", tmp_path)
    return tmp_path


def test_what_fails_at_the_last_check_leaves_nothing(elsewhere: Path) -> None:
    path = elsewhere / "x.csv"
    path.write_text(table())
    with pytest.raises(InputError, match="there is no configuration 'sizes'"):
        describe.describe(request(path), ORIGIN)
    assert sorted(p.name for p in elsewhere.rglob("*")) == ["configs", "data", "schema", "x.csv"]


@pytest.mark.parametrize(
    ("content", "flags", "message"),
    [
        (table(), ["--label", "z"], "--label z: "),
        (table(), ["--name", "census"], "configs/census.yaml is there already"),
        (table(), ["--name", "My Data"], "write small letters a-z"),
        (table(), ["--kind", "y"], "--kind y: write COLUMN=KIND; a kind is one of number"),
        (table(), ["--kind", "y=date"], "--kind y=date: write COLUMN=KIND"),
        (table(), ["--positive", "vielleicht"], "--positive vielleicht: column 'y' has no such"),
        ("a,y\nK\u00f6ln,1\n", [], "row 1 is not UTF-8"),
        (None, [], "cannot be read: No such file"),
    ],
)
def test_a_refusal_names_what_is_wrong_and_creates_nothing(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    content: str | None,
    flags: list[str],
    message: str,
) -> None:
    path = tmp_path / "x.csv"
    if content is not None:
        path.write_text(content, encoding="latin-1" if "K\u00f6" in content else "utf-8")
    places = [REPOSITORY / name for name in (".", "data", "schema", "configs")]
    before = [sorted(place.iterdir()) for place in places]
    wanted = ["init", "--csv", str(path), "--label", "y", "--name", "sizes", *flags]
    assert main(wanted) == 2
    assert message in capsys.readouterr().err
    assert [sorted(place.iterdir()) for place in places] == before
