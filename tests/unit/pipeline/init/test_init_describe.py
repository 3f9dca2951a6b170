"""`init`: contract, example function, suspect columns, files, and nothing half-written."""

import ast
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow_data_validation as tfdv
from google.protobuf import text_format
from snorkel.labeling import LabelingFunction
from tensorflow_metadata.proto.v0 import schema_pb2

from core.errors import InputError
from core.files import REPOSITORY
from models.labels.votes import NEGATIVE, POSITIVE
from pipeline.cli.main import main
from pipeline.config.overlay import parse_yaml
from pipeline.init import contract, describe, example, files, leaks
from pipeline.init.example import Example
from pipeline.init.files import InitOrigin
from pipeline.init.proposal import Proposal
from tests.support.data_sets.proposed import proposed_of, request

ORIGIN = InitOrigin("2026-01-02", "python -m pipeline init ...")
ASKED: dict[str, Any] = {"name": "sizes", "test_fraction": 0.3}
EXAMPLE = Example("size", ">=", 12.5, POSITIVE, 9, 10, 0.3, 0.2, (0.6, 0.98), above_chance=True)


def table(rows: int = 120) -> str:
    """`size` decides `y`; `note` is empty in every third row; the first half has labels."""
    lines = ['Größe,"Note, kind",y']
    for n in range(rows):
        size = n % 10
        label = ("", "ja" if size > 5 else "nein")[n % 2]
        lines.append(f'"1.{size:03d},5",{"" if n % 3 == 0 else "abc"[n % 2]},{label}')
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def proposed() -> tuple[Proposal, dict[str, list[str]]]:
    return proposed_of(table(), **ASKED)


def anomalies(
    cells: dict[str, list[str]], made: Proposal, schema: schema_pb2.Schema
) -> dict[str, str]:
    """What TensorFlow Data Validation finds in rows that are held against a contract."""
    types = {feature.name: feature.type for feature in schema.feature}
    words = {schema_pb2.INT: "Int64", schema_pb2.FLOAT: "float32"}
    frame = {}
    for name, values in cells.items():
        column = pd.Series(values, dtype=object).replace("", None)
        known = types[name] in words
        frame[name] = pd.to_numeric(column).astype(words[types[name]]) if known else column
    checked = schema_pb2.Schema()
    checked.CopyFrom(schema)
    del checked.feature[[feature.name for feature in checked.feature].index("row_id")]
    statistics = tfdv.generate_statistics_from_dataframe(pd.DataFrame(frame))
    problems = tfdv.validate_statistics(statistics, checked, environment="TRAINING")
    return {name: info.description for name, info in problems.anomaly_info.items()}


def test_the_contract(proposed: tuple[Proposal, dict[str, list[str]]]) -> None:
    made, cells = proposed
    schema = contract.infer(cells, made, smallest_split=20)
    assert anomalies(cells, made, schema) == {}
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
    proposed: tuple[Proposal, dict[str, list[str]]],
) -> None:
    made, cells = proposed
    schema = contract.infer(cells, made, smallest_split=20)
    other = {**cells, "note_kind": ["z"] * len(cells["y"])}
    assert list(anomalies(other, made, schema)) == ["note_kind"]


def test_whole_numbers_beyond_64_bits_are_of_type_float() -> None:
    text = "".join(f"{2**64 + 2**40 * (n % 7)},{n % 9},{'ab'[n % 2]}\n" for n in range(90))
    made, cells = proposed_of(f"big,small,y\n{text}", **ASKED)
    schema = contract.infer(cells, made, smallest_split=20)
    types = {feature.name: feature.type for feature in schema.feature}
    assert (types["big"], types["small"]) == (schema_pb2.FLOAT, schema_pb2.INT)


@pytest.mark.parametrize(
    ("share", "smallest", "least"), [(1.0, 10, 1.0), (0.9, 4000, 0.85), (0.5, 10, 0.0)]
)
def test_the_share_that_must_be_present(share: float, smallest: int, least: float) -> None:
    assert contract.least_presence(share, smallest) == pytest.approx(least, abs=0.051)


def test_the_example_is_the_condition_that_gold_rows_speak_for() -> None:
    size = [float(n % 10) for n in range(200)]
    city = ["Rome" if n % 2 else "Oslo" for n in range(200)]
    gold = {n: POSITIVE if n % 10 >= 7 else NEGATIVE for n in range(0, 200, 3)}
    [found] = example.find({"city": city, "size": size}, gold)
    assert (found.column, found.above_chance) == ("size", True)
    assert found.right == found.gold
    assert found.coverage <= example.MOST_COVERAGE


def test_the_example_for_free_text_is_a_word() -> None:
    said = ["Please call us now" if n % 4 == 0 else "see you later then" for n in range(80)]
    gold = {n: POSITIVE if n % 4 == 0 else NEGATIVE for n in range(80)}
    [found] = example.find({"said": said}, gold, ["said"])
    assert (found.operator, found.value, found.right) == (example.HAS_WORD, "call", 20)


def test_without_a_condition_for_a_fair_share_of_rows_there_is_no_example() -> None:
    gold = {n: n % 2 for n in range(40)}
    assert example.find({"a": ["x"] * 40, "b": [None] * 40}, gold) == []


def test_a_column_that_tells_the_label_is_suspect() -> None:
    gold = {n: POSITIVE if n % 4 == 0 else NEGATIVE for n in range(80)}
    columns: dict[str, Sequence[float | str | None]] = {
        "told": [float(n % 4 == 0) if n % 20 else None for n in range(80)],
        "word": ["yes" if n % 4 == 0 else "no" for n in range(80)],
        "other": [float(n % 7) for n in range(80)],
        "name": [f"N{n}" for n in range(80)],
    }
    classes = ("no", "yes")
    found = leaks.find(columns, gold, classes)
    assert list(found) == ["told", "word"], "a missing value counts as a value"
    assert found["word"] == "alone ranks the gold rows by their label (AUC 1.00)"
    columns["told"] = [float(n % 4 != 0) for n in range(80)]
    assert list(leaks.find(columns, gold, classes)) == ["told", "word"]
    assert leaks.find(columns, {n: gold[n] for n in range(20)}, classes) == {}


def test_a_column_that_is_there_for_one_class_only_is_suspect() -> None:
    """The amount of a refund; of a rarer event that has happened to one class alone."""
    rng = np.random.default_rng(1)
    gold = {n: POSITIVE if n % 4 == 0 else NEGATIVE for n in range(400)}
    amount = rng.normal(50, 9, 400).tolist()
    columns: dict[str, Sequence[float | str | None]] = {
        "refund": [x if gold[n] == POSITIVE else None for n, x in enumerate(amount)],
        "rarer": [x if n % 16 == 0 else None for n, x in enumerate(amount)],
        "kept": [x if gold[n] == NEGATIVE else None for n, x in enumerate(amount)],
        "event": ["1" if gold[n] == POSITIVE and n % 3 else "0" for n in range(400)],
        "holes": [x if n % 7 else None for n, x in enumerate(amount)],
        "amount": amount,
    }
    found = leaks.find(columns, gold, ("no", "yes"))
    assert found == {
        "refund": "is filled in 100 gold rows, 100 of which are 'yes'",
        "rarer": "is filled in 25 gold rows, 25 of which are 'yes'",
        "kept": "is filled in 300 gold rows, 300 of which are 'no'",
        "event": "is '1' in 66 gold rows, 66 of which are 'yes'",
    }


def test_columns_of_chance_are_not_suspect() -> None:
    rng = np.random.default_rng(2)
    gold = {n: int(rng.random() < 0.15) for n in range(300)}
    columns = {
        f"c{c}": [float(x) if x > -0.5 else None for x in rng.normal(0, 1, 300)] for c in range(200)
    }
    assert leaks.find(columns, gold, ("no", "yes")) == {}


def test_the_best_of_many_conditions_is_not_above_chance_by_luck() -> None:
    """Hundreds of columns that say nothing: the best looks good, and is called no better."""
    called = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        gold = {n: int(rng.random() < 0.3) for n in range(200)}
        columns = {f"c{c}": rng.normal(0, 1, 200).tolist() for c in range(60)}
        [found] = example.find(columns, gold)
        called += found.above_chance
    assert called <= 2


@pytest.mark.parametrize(
    "written",
    [
        EXAMPLE,
        Example("a-b", "<=", -3.0, NEGATIVE, 4, 4, 0.7, 0.1, (0.5, 1.0), above_chance=False),
        Example(
            "city",
            "==",
            'S\u00e3o "Paulo"\n\\',
            NEGATIVE,
            4,
            4,
            0.7,
            0.1,
            (0.5, 1.0),
            above_chance=True,
        ),
        Example(
            "said", "has word", "nope", NEGATIVE, 4, 4, 0.7, 0.1, (0.5, 1.0), above_chance=True
        ),
        Example("2nd", "==", "\u7532", POSITIVE, 4, 4, 0.7, 0.1, (0.5, 1.0), above_chance=True),
    ],
)
def test_the_modules_are_python_and_the_function_votes(
    proposed: tuple[Proposal, dict[str, list[str]]], written: Example
) -> None:
    made, _ = proposed
    texts = files.render(made, "", [written], ORIGIN)
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
    proposed: tuple[Proposal, dict[str, list[str]]], tmp_path: Path
) -> None:
    """Quotes in headers, a docstring that takes two lines."""
    made, _ = proposed
    columns = [replace(made.columns[0], header='Size "gross"'), *made.columns[1:]]
    source = replace(made.source, columns=tuple(columns))
    unsure = replace(EXAMPLE, above_chance=False, gold=1000, right=100)
    contents = files.render(replace(made, source=source), "", [unsure], ORIGIN)
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
    made, _ = proposed_of(table().replace(",y\n", ',"y or\nn"\n', 1), label="y or\nn", **ASKED)
    origin = InitOrigin("2026-01-02", "python -m pipeline init --label 'y or\nn'")
    contents = files.render(made, "", [EXAMPLE], origin)
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
        describe.describe(request(path, **ASKED), ORIGIN)
    assert sorted(p.name for p in elsewhere.rglob("*")) == ["configs", "data", "schema", "x.csv"]


@pytest.fixture
def nothing_put(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is decided and printed, and nothing put into the repository."""
    monkeypatch.setattr(describe, "_put", lambda *_: None)


def with_a_leak() -> str:
    """`refund` is filled for one class only; many columns; `size` says something of the label."""
    rng = np.random.default_rng(5)
    header = ["", "refund", "size", *(f"c{c}" for c in range(60)), "y"]
    lines = [",".join(header)]
    for n in range(400):
        yes = rng.random() < 0.4
        refund = f"{rng.integers(9, 99)}" if yes else ""
        rest = ",".join(f"{x:.2f}" for x in rng.normal(0, 1, 60))
        lines.append(f"{n},{refund},{rng.normal(2 * yes, 1):.3f},{rest},{'yes' if yes else 'no'}")
    return "\n".join(lines) + "\n"


def test_what_tells_the_label_is_left_out_and_many_columns_are_few_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], nothing_put: None
) -> None:
    path = tmp_path / "x.csv"
    path.write_text(with_a_leak())
    wanted = ["init", "--csv", str(path), "--label", "y", "--name", "sizes"]
    assert main(wanted) == 0
    told, steps = capsys.readouterr()
    out = " ".join(told.split())
    assert "note: left out, as they tell the label and are often known only after it: refund" in out
    assert "labelling function size_at_" in out
    assert "better than chance), votes on" in out
    assert "61 columns besides are number: size, c0, c1, c2, c3, c4, c5, c6, and 53 more" in out
    assert len(told.splitlines()) < 30
    assert steps.splitlines()[:2] == [f"reading {path}", "looking at 64 columns"]
    made = describe.describe(request(path, **ASKED), ORIGIN)
    assert "refund" not in made.proposal.numeric
    assert len(made.proposal.numeric) == 61


def test_parquet_and_a_column_that_is_there_twice(tmp_path: Path, nothing_put: None) -> None:
    size = [n % 10 for n in range(600)]
    label = ["yes" if (n % 10 > 5) != (n % 4 == 1) else "no" for n in range(600)]
    arrays = [pa.array(size), pa.array(label), pa.array(size)]
    pq.write_table(pa.Table.from_arrays(arrays, ["size", "y", "size"]), tmp_path / "x.parquet")
    lines = [f"{n},{name},{n}" for n, name in zip(size, label, strict=True)]
    (tmp_path / "x.csv").write_text("\n".join(["size,y,size", *lines]))
    made = [
        describe.describe(request(tmp_path / name, **ASKED), ORIGIN).proposal
        for name in ("x.csv", "x.parquet")
    ]
    assert [proposed.source.file for proposed in made] == ["raw/data.csv", "raw/data.parquet"]
    assert made[0].columns == made[1].columns
    assert made[0].numeric == made[1].numeric == ["size"]
    arrays[2] = pa.array([*size[:-1], 77])
    pq.write_table(pa.Table.from_arrays(arrays, ["size", "y", "size"]), tmp_path / "x.parquet")
    with pytest.raises(InputError, match="2 columns are called 'size' and differ: row 600 has '9'"):
        describe.describe(request(tmp_path / "x.parquet", **ASKED), ORIGIN)


def test_a_leak_that_is_asked_for_stays_but_is_no_labelling_function(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], nothing_put: None
) -> None:
    path = tmp_path / "x.csv"
    path.write_text(with_a_leak())
    wanted = ["init", "--csv", str(path), "--label", "y", "--name", "sizes", "--all-columns"]
    assert main([*wanted, "--kind", "refund=number"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "note: refund is filled in" in out
    assert "start again with --kind refund=leave-out" in out
    assert "labelling function size_at_" in out
    assert "columns besides" not in out
    assert "refund number as --kind says" in out


@pytest.mark.parametrize(
    ("content", "flags", "message"),
    [
        (table(), ["--label", "z"], "--label z: "),
        (table(), ["--name", "census"], "configs/census.yaml is there already"),
        (table(), ["--name", "My Data"], "write small letters a-z"),
        (table(), ["--kind", "y"], "--kind y: write COLUMN=KIND; a kind is one of number"),
        (table(), ["--kind", "y=dates"], "--kind y=dates: write COLUMN=KIND"),
        (table(), ["--kind", "y=text:%Y"], "--kind y=text:%Y: write COLUMN=KIND"),
        (table(), ["--kind", "Note, kind=date:%Q"], "--kind Note, kind=date:%Q: '%Q' is not among"),
        (table(), ["--slice", "Note kind"], "the nearest is 'Note, kind'"),
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
