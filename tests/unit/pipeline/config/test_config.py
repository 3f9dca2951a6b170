"""Configuration: layers, every valid file, and what errors say."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from core.config import Config
from core.errors import InputError
from pipeline.config.load import CONFIGS, load
from pipeline.config.overlay import parse_yaml


def key_paths(model: type[BaseModel], above: str = "") -> set[str]:
    paths = set()
    for name, field in model.model_fields.items():
        key = above + (field.alias or name)
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            paths |= key_paths(kind, key + ".")
        else:
            paths.add(key)
    return paths


def yaml_paths(values: dict[str, Any], known: set[str], above: str = "") -> set[str]:
    paths = set()
    for key, value in values.items():
        if above + key not in known and isinstance(value, dict):
            paths |= yaml_paths(value, known, f"{above}{key}.")
        else:
            paths.add(above + key)
    return paths


def test_base_lists_every_key_and_no_other() -> None:
    base = parse_yaml((CONFIGS / "base.yaml").read_text(), "base.yaml")
    known = key_paths(Config)
    assert yaml_paths(base, known) == known


@pytest.mark.parametrize("path", sorted(set(CONFIGS.glob("*.yaml")) - {CONFIGS / "base.yaml"}))
def test_every_named_configuration_is_valid(path: Path) -> None:
    assert load(path.stem) == load(str(path))


def test_layers_base_extends_file_set() -> None:
    census, smoke = load("census"), load("smoke", ["trainer.epochs=7"])
    assert (census.tuner.trials, smoke.tuner.trials) == (3, 2)
    assert smoke.trainer.epochs == 7
    assert smoke.trainer.patience == census.trainer.patience
    assert smoke.columns == census.columns


def test_a_free_form_mapping_replaces_the_one_below() -> None:
    assert load("census").evaluation.server.min_by_slice == {"auc": 0.75}
    assert load("smoke").evaluation.server.min_by_slice == {}


def test_set_changes_one_key_of_a_free_form_mapping() -> None:
    bounds = load("census", ["evaluation.server.min.auc=0.5"]).evaluation.server.min
    assert bounds == {"auc": 0.5, "accuracy": 0.8}


def test_later_set_wins() -> None:
    assert load("census", ["seed=2", "seed=3"]).seed == 3


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load("census").seed = 2  # type: ignore[misc]


def test_the_hash_follows_the_values() -> None:
    same, other = load("census", ["seed=1"]), load("census", ["seed=2"])
    assert load("census").config_sha256 == same.config_sha256 != other.config_sha256


@pytest.mark.parametrize(
    "override",
    [
        "schedule.cron=0 4 * * *",
        "notify.command=[mail]",
        "metrics.textfile=/var/lib/census.prom",
        "metadata.connection=mysql://pipeline@db:3306/metadata",
    ],
)
def test_the_hash_does_not_follow_keys_that_change_no_run(override: str) -> None:
    assert load("census", [override]).config_sha256 == load("census").config_sha256


def test_the_hash_follows_what_a_model_has_to_show_before_it_is_served() -> None:
    stricter = load("census", ["pusher.max_latency_ms=1"])
    assert stricter.config_sha256 != load("census").config_sha256


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "trainer.sparsity=1.5",
            "trainer.sparsity: 1.5 is not allowed; give a number >= 0 and < 1",
        ),
        ("trainer.epochs=many", 'trainer.epochs: "many" is not allowed; give a whole number >= 1'),
        (
            "features.keep=0",
            "features.keep: 0 is not allowed; give a whole number >= 1 or a number > 0 and < 1 or "
            "auto or null",
        ),
        ("features.keep=1.5", "features.keep: 1.5 is not allowed; give a whole number >= 1 or"),
        ("features.keep=x", 'features.keep: "x" is not allowed; give a whole number >= 1 or'),
        (
            "features.keep=200",
            "features.keep: 200: there are 13 columns; give a smaller number, or null",
        ),
        ("trainer.epochs=1.5", "trainer.epochs: 1.5 is not allowed"),
        ("data.rows=true", "data.rows: true is not allowed; give a whole number >= 100 or null"),
        ("trainer.l2=.nan", "trainer.l2: NaN is not allowed"),
        ("trainer.hidden_units=[]", "trainer.hidden_units: [] is not allowed; give a list of"),
        ("trainer.hidden_units=[8, 0]", "trainer.hidden_units.1: 0 is not allowed"),
        ("quantizer.variant=int4", "give one of student, student_float16, student_dynamic_int8"),
        ("selection.server.variant=student", "give one of teacher, teacher_pruned, auto"),
        ("selection.edge.variant=student", "the nearest is 'quantizer.variant'"),
        ("selection.edge.max_byte=5", "the nearest is 'selection.edge.max_bytes'"),
        ("selection.edge.max_bytes=0", "give a whole number >= 1 or null"),
        ("selection.edge.prefer=size", "give one of bytes, latency, quality"),
        ("selection.device.prefer=bytes", "--set selection.device.prefer=bytes: selection.device:"),
        ("trainer.pruning.structure=1:4", '"1:4" is not allowed; give 2:4 or null'),
        ("labeling.mode=yes", 'labeling.mode: "yes" is not allowed; give one of weak, gold'),
        ("tuner=3", "tuner: 3 is not allowed; give keys and values"),
        ("seed.x=3", "seed is a value (1), not a section"),
        ("trainer.epoch=3", "there is no such key; the nearest is 'trainer.epochs'"),
        ("dropout=0.1", "there is no such key; the nearest is 'trainer.dropout'"),
        ("evaluation.server.min.acc=0.1", "the nearest is 'evaluation.server.min.auc'"),
        ("pusher.max_regression={acuracy: 0.1}", "nearest is 'pusher.max_regression.accuracy'"),
        ("retrain.max_quality_drop.tpr=0.1", "there is no such key; the nearest is 'retrain.max_"),
        ("evaluation.edge.max_gap={'': {tpr: 1}}", "the nearest is 'evaluation.edge.max_gap'"),
        ("columns.groups.age_group.colum=x", "nearest is 'columns.groups.age_group.column'"),
        (
            "evaluation.edge.max_gap={sex: {tprr: 1}}",
            "nearest is 'evaluation.edge.max_gap.sex.tpr'",
        ),
        (
            "evaluation.edge.max_gap_growth={sex: {tprr: 1}}",
            "nearest is 'evaluation.edge.max_gap_growth.sex.tpr'",
        ),
        (
            "evaluation.edge.max_gap_growth={gender: {tpr: 0.1}}",
            "max_gap_growth.gender: add [gender] to evaluation.slices, or drop the bound",
        ),
        ("evaluation.edge.max_gap_growth={sex: {tpr: 2}}", "2 is not allowed; give a number >= 0"),
        ("columns.numeric=[age, sex]", "'sex' is listed twice"),
        ("explain.actionable=[occuption]", "'occuption' is no column; the nearest is 'occupation'"),
        ("explain.actionable=[age_group]", "'age_group' is made from 'age'; name that one"),
        ("explain.actionable=[race, race]", "explain.actionable: 'race' is listed twice"),
        ("explain.actionable=[income-per-year]", "'income-per-year' is the label"),
        ("explain.rows=3", "explain.rows: 3 is not allowed"),
        ("columns.text=[sex]", "'sex' is listed twice"),
        ("columns.groups.a={column: sex, bounds: [1]}", "'sex' is not in columns.numeric"),
        ("columns.groups.a={column: age, bounds: [2, 1]}", "[2.0, 1.0] is not in ascending order"),
        ("columns.groups.sex={column: age, bounds: [1]}", "'sex' is already a column"),
        ("columns.positive=rich", "columns.positive: 'rich' is no class; give the one of"),
        ("columns.positive=null", "columns.positive: missing; give the one of columns.classes"),
        ("columns.classes=['>50K', ' >50k']", "differ in capitals or blanks at most"),
        ("columns.classes=['>50K', '>50K']", "'>50K' and '>50K' differ in capitals or blanks"),
        ("columns.classes=[a]", "columns.classes"),
        ("columns.dates={sex: {format: '%Y-%m-%d'}}", "columns.dates: 'sex' is listed twice"),
        ("columns.dates={weight: {format: '%Y-%m-%d'}}", "'weight' is a name that the pipeline"),
        ("columns.dates={seen: {}}", "columns.dates.seen.format: missing; give text"),
        ("columns.dates={seen: {format: 3}}", "columns.dates.seen.format: 3 is not allowed"),
        ("columns.dates={seen: {format: '%Y-%q'}}", "columns.dates.seen.format: '%Y-%q': '%q' is"),
        (
            "columns.dates={seen: {format: '%d.%m.'}}",
            "format: '%d.%m.': it is ambiguous",
        ),
        (
            "columns.dates={seen: {format: '%Y-%m-%d', timezone: Mars}}",
            "columns.dates.seen.timezone: there is no time zone 'Mars'",
        ),
        (
            f"columns.classes={[str(n) for n in range(101)]}",
            "101 classes; at most 100 can be told apart",
        ),
        (
            "evaluation.slices=[[sexx]]",
            "neither a column of text nor a group; the nearest is 'sex'",
        ),
        ("evaluation.slices=[[age]]", "'age' holds numbers; make a group of it (columns.groups)"),
        ("evaluation.slices=[[income-per-year]]", "'income-per-year' is neither a column of text"),
        ("columns.label=weight", "columns.label: 'weight' is a name that the pipeline itself"),
        ("columns.categorical=[sex, label]", "columns.categorical: 'label' is a name that the"),
        ("columns.numeric=[age, numeric]", "columns.numeric: 'numeric' is a name that the"),
        ("columns.groups.categorical={column: age, bounds: [1]}", "'categorical' is a name that"),
        ("evaluation.slices=[[row_id]]", "evaluation.slices.0: 'row_id' is a name that the"),
        ("columns.numeric=[age, hours per week]", "'hours per week' cannot be the name of a model"),
        ("columns.numeric=[age, 'a:b']", "'a:b' cannot be the name of a model's input"),
        ("columns.numeric=[age, _a]", "'_a' cannot be the name of a model's input"),
        (
            "columns.numeric=[age, h\u00f6he]",
            "is made of the letters a-z and A-Z, digits, '_', '-'",
        ),
        ("columns.numeric=[age, class]", "'class' cannot be the name of a model's input"),
        ("columns.numeric=[age, a-b, a_b]", "'a_b' and 'a-b' would be the same input of a model"),
        ("columns.numeric=[age, Age]", "'Age' and 'age' would be the same input of a model"),
        ("evaluation.server.min={}", "evaluation.server.min: name at least one bound"),
        ("evaluation.edge.min={}", "evaluation.edge.min: name at least one bound"),
        ("data.loader=data.nowhere", "data.loader: there is no module data.nowhere"),
        ("data.loader=null", "give data.folder (your CSV files) or data.loader (a module)"),
        ("labeling.functions=null", "labeling.mode=weak needs a module"),
        ("schema=schema/none.pbtxt", "schema: there is no file"),
        ("beam.args=[runner]", 'beam.args.0: "runner" is not allowed'),
        ("cards.intended_use=nowhere.md", "nowhere.md: No such file or directory; give a Markdown"),
        ("cards.sensitive=[sexx]", "'sexx' is neither a column nor a group; the nearest is 'sex'"),
        ("trainer", "write --set key.path=value"),
        ("trainer.epochs=[1", "not valid YAML"),
    ],
)
def test_an_error_names_source_key_and_what_is_allowed(override: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        load("census", [override])
    assert message in str(error.value)
    assert f"--set {override}" in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff", "is not UTF-8"),
        (b"x" * 16_001, "has 16001 characters; at most 16000 go into a card"),
    ],
)
def test_what_people_write_of_use_and_limits_is_a_text_that_fits(
    tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "use.md").write_bytes(content)
    with pytest.raises(InputError, match=message):
        load("census", [f"cards.intended_use={tmp_path / 'use.md'}"])


def test_a_column_of_text_is_sliced_on_without_being_learnt_from() -> None:
    config = load("census", ["columns.categorical=[race, workclass]"])
    assert config.evaluation.slices[0] == ("sex",)


def test_a_bound_on_a_gap_needs_its_slice() -> None:
    with pytest.raises(InputError, match=r"census.yaml: .*max_gap.sex: add \[sex\] to evaluation"):
        load("census", ["evaluation.slices=[[race]]"])


def write(folder: Path, text: str) -> str:
    path = folder / "mine.yaml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("extends: census\ntrainerr: {epochs: 2}\n", "trainerr: there is no such key"),
        ("extends: census\ntrainer: {epochs: 0}\n", "trainer.epochs: 0 is not allowed"),
        ("extends: census\nseed: 1\nseed: 2\n", "line 3, column 1: not valid YAML: the key 'seed'"),
        ("extends: nowhere\n", "there is no configuration 'nowhere'"),
        ("extends: mine.yaml\n", "extends itself"),
        (
            "extends: [census, 3]\n",
            "extends: write the name of a file or a list, not ['census', 3]",
        ),
        (
            "extends: census\ntrainer: {epochs: 1, epochs: 2}\n",
            "line 2, column 22: not valid YAML: the key 'epochs' is given twice",
        ),
        ("seed: !!int x\n", "not valid YAML: invalid literal"),
        ("- a\n- b\n", "write keys and values, not list"),
        ("trainer: [\n", "not valid YAML"),
    ],
)
def test_an_error_names_the_file(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(InputError) as error:
        load(path)
    assert message in str(error.value)
    assert "nowhere" in text or path in str(error.value)


def test_a_file_elsewhere_extends_a_named_one_and_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "below.yaml").write_text("extends: smoke\nseed: 5\n")
    config = load(write(tmp_path, "extends: below.yaml\nname: mine\n"))
    assert (config.name, config.seed, config.data.rows) == ("mine", 5, 2000)


def test_a_later_file_of_a_list_lies_over_an_earlier_one(tmp_path: Path) -> None:
    (tmp_path / "over.yaml").write_text("seed: 5\nevaluation: {server: {min: {f1: 0.1}}}\n")
    config = load(write(tmp_path, "extends: [census, over.yaml]\nname: mine\n"))
    assert (config.seed, config.evaluation.server.min) == (5, {"f1": 0.1})
    assert config.evaluation.edge == load("census").evaluation.edge


def test_smoke_lies_over_any_configuration_and_takes_no_more_rows(tmp_path: Path) -> None:
    text = "extends: census\nname: mine\ndata: {rows: 400}\ntrainer: {epochs: 50}\n"
    path = write(tmp_path, text)
    config = load(path, ["trainer.patience=7"], smoke=True)
    assert (config.name, config.data.rows, config.labeling.gold_rows) == ("mine-smoke", 400, 100)
    assert (config.trainer.epochs, config.trainer.patience) == (12, 7)
    assert config.evaluation.server.max_gap == load("census").evaluation.server.max_gap
    assert load(path).name == "mine"
    assert (config.features.buckets, load(path).features.buckets) == (32, 128)
    assert load("visual_relations", smoke=True).features.buckets == 4


def test_the_smoke_of_the_census_is_that_of_any_configuration_with_bounds_of_its_own() -> None:
    one, other = load("smoke"), load("census", smoke=True)
    assert (one.name, other.name) == ("smoke", "census-smoke")
    assert one.labeling.gold_rows == other.labeling.gold_rows == 100
    values = [config.model_dump() for config in (one, other)]
    for each in values:
        del each["name"], each["labeling"]["gates"]
        del each["evaluation"]["server"], each["evaluation"]["edge"]
    assert values[0] == values[1]


def test_smoke_takes_no_more_gold_rows_than_the_configuration_itself() -> None:
    assert load("census", smoke=True).labeling.gold_rows == 100
    assert load("demo_retrain", ["labeling.gold_rows=30"], smoke=True).labeling.gold_rows == 30


def test_yaml_reads_numbers_and_words_as_people_mean_them(tmp_path: Path) -> None:
    text = (
        "extends: census\ntrainer: {learning_rate: 1e-3}\ncolumns: {positive: yes, negative: no}\n"
    )
    config = load(write(tmp_path, text))
    assert config.trainer.learning_rate == 0.001
    assert (config.columns.positive, config.columns.classes) == ("yes", ("no", "yes"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[on, off, y, no]", ["on", "off", "y", "no"]),
        ("[true, False, ~, null]", [True, False, None, None]),
        ("[1:30, 12:30:45]", ["1:30", "12:30:45"]),
        ("[017, 0o17, 0x1F, 1e3, .5, +1]", [17, 15, 31, 1000.0, 0.5, 1]),
        ("{a: &x {b: 1, c: 2}, d: {<<: *x, c: 3}}", {"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 3}}),
    ],
)
def test_values_are_those_of_yaml_1_2(text: str, value: object) -> None:
    assert parse_yaml(text, "x.yaml") == value


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"no configuration 'censs'.*base, census.*smoke"):
        load("censs")


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed: 2026-13-45", "not valid YAML: month must be in 1..12"),
        (f"seed: {'9' * 5000}", "not valid YAML: Exceeds the limit"),
        ("seed: !!int abc", "not valid YAML: invalid literal for int"),
        ('name: "\\ud800"', "is no text: surrogates not allowed"),
        ("columns: &a\n  groups: *a", "nested deeper than 50 levels"),
        ("evaluation: &a {slices: [*a]}", "nested deeper than 50 levels"),
        (f"name: {'[' * 3000}{']' * 3000}", "nested deeper than 50 levels"),
        (BOMB, "more than 100,000 values"),
        (f"name: {'a' * 300}", "is not allowed; give text like"),
        ("name: !!python/object/apply:os.system ['true']", "could not determine a constructor"),
        ("seed: 1\n---\nseed: 2", "but found another document"),
        ("retrain: {max_age_days: 1:30}", 'retrain.max_age_days: "1:30" is not allowed'),
    ],
)
def test_hostile_yaml_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "hostile.yaml"
    path.write_text(f"extends: [census]\n{text}\n")
    with pytest.raises(InputError) as refused:
        load(str(path))
    assert message in str(refused.value)
    assert "hostile.yaml" in str(refused.value)


def test_of_more_than_two_classes_none_is_detected() -> None:
    with pytest.raises(InputError, match=r"columns\.positive: '>50K': there are 3 classes"):
        load("census", ["columns.classes=[a, b, c]"])
    three = ["columns.classes=[a, b, c]", "columns.positive=null"]
    gaps = [
        f"evaluation.{target}.{bound}={{}}"
        for target in ("server", "edge")
        for bound in ("max_gap", "max_gap_growth")
    ]
    config = load("census", [*three, *gaps])
    assert (config.columns.names, config.columns.width) == (("a", "b", "c"), 3)
    assert set(config.pusher.max_regression) == {"accuracy", "macro_f1", "recall"}
    with pytest.raises(InputError, match=r"max_gap\.sex\.tpr: .*with 3 classes there are recall"):
        load("census", three)
    with pytest.raises(InputError, match=r"evaluation\.edge\.min\.f1: .*with 3 classes there are"):
        load("census", [*three, *gaps, "evaluation.edge.min={f1: 0.5}"])
    load("census", [*three, *gaps, "evaluation.edge.min={log_loss: 1.5}"])
    with pytest.raises(InputError, match=r"evaluation\.edge\.min\.auc: 1\.5 is not allowed"):
        load("census", [*three, *gaps, "evaluation.edge.min={auc: 1.5}"])
    with pytest.raises(InputError, match=r"min_by_class\.recall: bounds each class where there"):
        load("census", ["evaluation.edge.min_by_class={recall: 0.5}"])


def test_the_code_of_the_detected_class_is_1_in_either_order() -> None:
    columns = load("census", ["columns.classes=['>50K', '<=50K']"]).columns
    assert (columns.names, columns.width) == (("<=50K", ">50K"), 1)
