"""The DAG: which nodes run again after an edit, and one place for what is known of a target."""

import itertools
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tfx.dsl.components.common.resolver import Resolver
from tfx.orchestration.pipeline import Pipeline

from core.config import Config
from core.files import REPOSITORY
from core.names import (
    ANOMALY_REPORT,
    CHOICE,
    EXPLANATION,
    FAIRNESS_GATES,
    FEATURE_REPORT,
    LABEL_GATES,
    LABEL_REPORT,
    PUSH_CHECKS,
    PUSH_GATES,
    TRAINING_REPORT,
    TUNER_REPORT,
    VARIANT_REPORT,
)
from core.targets import TARGETS
from models.cards.sources import READINGS
from pipeline import dag
from pipeline.config.load import load
from pipeline.ingestion.staging import Staged
from pipeline.run import fingerprint

ROOMS = ("core", "models", "components", "pipeline", "data", "environment", "configs")
BOTH_EVALUATORS = {"Evaluator.server", "Evaluator.edge"}
BOTH_PUSH_GATES = {"PushGate.server", "PushGate.edge"}
BOTH_CARDS = {"ModelCard.server", "ModelCard.edge"}


@pytest.fixture(scope="module")
def config() -> Config:
    return load("census", ["trainer.warm_start=true"])


@pytest.fixture(scope="module")
def made(config: Config, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """The DAG; the hashes of its nodes are the names of the modules that they are told of."""
    folder = tmp_path_factory.mktemp("runs") / config.name
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dag, "code_sha256", lambda *modules: " ".join(modules))
        return dag.create_pipeline(config, Staged(str(folder), "", (1,), {}, ()), folder)


@pytest.fixture(scope="module")
def code_of_nodes(made: Pipeline) -> dict[str, list[str]]:
    """The modules that each node's hash is told of, by the node's id; empty for stock ones."""
    return {node.id: told(node.exec_properties).split() for node in made.components}


def told(properties: dict[str, object]) -> str:
    """What `code_sha256` is among the properties, or inside the text of one of them."""
    custom = re.search(r"code_sha256\W+([a-z_. ]+)", str(properties.get("custom_config")))
    return str(properties.get("code_sha256") or (custom[1] if custom else ""))


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code, to be edited."""
    folder = tmp_path_factory.mktemp("repository")
    for room in ROOMS:
        shutil.copytree(
            REPOSITORY / room, folder / room, ignore=shutil.ignore_patterns("__pycache__")
        )
    return folder


@pytest.fixture
def changed_by(
    copy: Path,
    config: Config,
    code_of_nodes: dict[str, list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[str, str, str], set[str]]:
    """The nodes, and "run", whose hash changes by an edit; the edit is undone."""
    monkeypatch.setattr(fingerprint, "REPOSITORY", copy)

    def hashes() -> dict[str, str]:
        by_node = {n: fingerprint.code_sha256(*told) for n, told in code_of_nodes.items() if told}
        return by_node | {"run": fingerprint.run_code_sha256(config)}

    def edit(file: str, old: str, new: str) -> set[str]:
        before, path = hashes(), copy / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{file} no longer has {old}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        after = hashes()
        path.write_text(text, encoding="utf-8")
        return {name for name, digest in after.items() if digest != before[name]}

    return edit


@pytest.mark.parametrize(
    ("file", "old", "new", "changed"),
    [
        ("models/labels/combiner.py", "RIDGE]", "FREE]", {"SnorkelLabeler", "run"}),
        ("models/labels/by_group/shifts.py", "_ROWS = 75", "_ROWS = 74", {"SnorkelLabeler", "run"}),
        (
            "models/labels/additive/decisions.py",
            "FARTHEST = 1.0",
            "FARTHEST = 2.0",
            {"SnorkelLabeler", "run"},
        ),
        ("data/census/README.md", "e", "3", set()),
        ("pipeline/notify/hooks.py", "process.returncode == 0", "not process.returncode", set()),
        ("pipeline/notify/metrics.py", "def ", "def new_", set()),
        ("pipeline/report/display.py", "def ", "def new_", set()),
        (
            "models/layers/hidden.py",
            'activation="relu"',
            'activation="gelu"',
            {"Tuner", "Trainer", "Distiller", "run"},
        ),
        ("models/search/choice.py", "_CONFIDENCE = 0.95", "_CONFIDENCE = 0.9", {"Tuner", "run"}),
        ("models/search/space.py", "_MOST_NUMBERS = 2048", "_MOST_NUMBERS = 1", {"Tuner", "run"}),
        (
            "models/compression/clustering.py",
            "fewest >= clusters",
            "fewest > clusters",
            {"Trainer", "Distiller", "run"},
        ),
        (
            "models/bundle/quantized.py",
            "np.rint",
            "np.floor",
            {
                "Quantizer",
                "Selector.edge",
                "VariantEvaluator",
                "Explainer",
                *BOTH_EVALUATORS,
                "PushGate.edge",
                "run",
            },
        ),
        ("components/beam/exact_metrics.py", "math.nan", "-1.0", {*BOTH_EVALUATORS, "run"}),
        ("components/beam/sliced_batches.py", "1 << 17", "1 << 16", {*BOTH_EVALUATORS, "run"}),
        ("data/census/spans.py", "SPANS = 3", "SPANS = 3  # contiguous thirds", set()),
        ("data/census/spans.py", "SPANS = 3", "SPANS = 4", {"run"}),
        ("data/census/labeling_functions.py", '"""A graduate who is', '"""Who is', set()),
        (
            "data/census/labeling_functions.py",
            'number(row, "age") >= 28',
            'number(row, "age") >= 29',
            {"SnorkelLabeler", "run"},
        ),
        ("data/census/occupations.csv", "\n", "\n\n", {"SnorkelLabeler", "run"}),
        ("models/labels/gates.py", "def judge(", "def judge(new=0, *, ", {"LabelGate", "run"}),
        (
            "components/artifacts.py",
            "class LabelReport",
            "class Card:\n    pass\n\n\nclass LabelReport",
            set(),
        ),
        ("core/names.py", "ROW_ID = ", 'CARD_FILE = "card.md"\nROW_ID = ', set()),
        (
            "core/sections/features.py",
            "    select: bool",
            "    least: Count\n    select: bool",
            {"FeatureSelector", "run"},
        ),
        (
            "models/features/shadows.py",
            "_CHANCE = 0.05",
            "_CHANCE = 0.01",
            {"FeatureSelector", "run"},
        ),
        (
            "core/sections/evaluation.py",
            "    max_gap: ",
            "    max_growth: Share\n    max_gap: ",
            {"FairnessGate.server", "FairnessGate.edge", "run"},
        ),
        (
            "components/pushing/push_gate.py",
            "blessed and not rows",
            "blessed",
            {*BOTH_PUSH_GATES, "run"},
        ),
        (
            "models/export/predict_edge.py",
            "_REPEATS = 50",
            "_REPEATS = 51",
            {"PushGate.edge", "run"},
        ),
        (
            "models/frontier/choice.py",
            "SAME_BYTES = 1.01",
            "SAME_BYTES = 1.02",
            {"Selector.server", "Selector.edge", "run"},
        ),
        (
            "models/bundle/manifest.py",
            "FORMAT = 1",
            "FORMAT = 2",
            {"Selector.edge", "PushGate.edge", "Explainer", "run"},
        ),
        ("models/explain/stand_ins.py", "TELLS = 0.75", "TELLS = 0.8", {"Explainer", "run"}),
        ("models/explain/counterfactuals.py", "_BEAM = 32", "_BEAM = 33", set()),
        (
            "models/explain/training_rows.py",
            "_MOST_LINKED = 100",
            "_MOST_LINKED = 99",
            {*BOTH_PUSH_GATES, "run"},
        ),
        (
            "models/export/serve_edge.py",
            "tensorflow/serving/predict",
            "tensorflow/serving/other",
            {"Explainer", "run"},
        ),
        ("models/cards/forms.py", ":.4f", ":.3f", {*BOTH_CARDS, "run"}),
        ("models/cards/card.html.j2", "light dark", "dark", {*BOTH_CARDS, "run"}),
        ("models/cards/compare.py", "_SHOWN = 60", "_SHOWN = 61", set()),
        ("configs/cards/census.md", "e", "3", set()),
        (
            "pipeline/retraining/records.py",
            '"suspicious labels"',
            '"very suspicious"',
            {"run"},
        ),
    ],
)
def test_an_edit_runs_what_depends_on_it_and_nothing_else(
    changed_by: Callable[[str, str, str], set[str]],
    file: str,
    old: str,
    new: str,
    changed: set[str],
) -> None:
    assert changed_by(file, old, new) == changed


def test_every_node_of_ours_goes_by_its_code(code_of_nodes: dict[str, list[str]]) -> None:
    stock = {"SchemaGen", "ImportSchemaGen", "ExampleValidator"}
    asked_always = {"WarmStart", *(f"{n}.{t}" for n in ("Baseline", "LiveModel") for t in TARGETS)}
    pushers = {f"Pusher.{target}" for target in TARGETS}
    without = {node for node, modules in code_of_nodes.items() if not modules}
    assert without == stock | asked_always | pushers


def test_answers_are_explained_after_the_evaluators_and_before_the_pushers(
    made: Pipeline,
) -> None:
    nodes = {node.id: node for node in made.components}
    above = {node.id for node in nodes["Explainer"].upstream_nodes}
    below = {node.id for node in nodes["Explainer"].downstream_nodes}
    assert above >= BOTH_EVALUATORS
    assert below == {f"Pusher.{target}" for target in TARGETS}


def test_the_explainer_is_switched_off_in_the_configuration(tmp_path: Path) -> None:
    config = load("census", ["explain.enabled=false"])
    made = dag.create_pipeline(config, Staged(str(tmp_path), "", (1,), {}, ()), tmp_path)
    assert "Explainer" not in {node.id for node in made.components}
    assert not load("smoke").explain.enabled


def test_a_card_names_the_nodes_that_made_what_it_is_given(made: Pipeline) -> None:
    for node in made.components:
        if not node.id.startswith("ModelCard."):
            continue
        target = TARGETS[node.id.partition(".")[2]]
        wired = {key: channel.producer_component_id for key, channel in node.inputs.items()}
        said = {
            reading.key: reading.node.format(target=target.name) or target.producer
            for reading in READINGS.values()
        }
        assert said == {key: wired[key] for key in said if key in wired}
        assert {*wired} == {*said}


def test_every_report_is_of_a_node_of_the_dag(code_of_nodes: dict[str, list[str]]) -> None:
    single = (ANOMALY_REPORT, LABEL_REPORT, LABEL_GATES, FEATURE_REPORT, TUNER_REPORT)
    of_targets = (CHOICE, FAIRNESS_GATES, PUSH_GATES, PUSH_CHECKS)
    reports = [*single, TRAINING_REPORT, VARIANT_REPORT, EXPLANATION]
    reports += [report.of(target) for report in of_targets for target in TARGETS]
    assert {report.node for report in reports} <= {*code_of_nodes}


def test_every_target_has_its_bounds_and_a_node_that_makes_it(
    config: Config, code_of_nodes: dict[str, list[str]]
) -> None:
    for target in TARGETS.values():
        assert config.evaluation.bounds_of(target.name).min
        assert target.producer in code_of_nodes


def drawn_edges(mermaid: str) -> dict[tuple[str, str], str]:
    """Arrows of a flowchart by the nodes that they join: `A & B --> C -.-> D`."""
    edges: dict[tuple[str, str], str] = {}
    for line in mermaid.splitlines():
        steps = re.split(r" (-->|-\.->) ", line.strip())
        nodes = [step.split(" & ") for step in steps[::2]]
        for arrow, (above, below) in zip(steps[1::2], itertools.pairwise(nodes), strict=True):
            edges |= dict.fromkeys(itertools.product(above, below), arrow)
    return edges


def test_the_picture_in_the_readme_has_every_edge(made: Pipeline) -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    mermaid = readme.partition("```mermaid")[2].partition("```")[0]
    drawn = drawn_edges(mermaid)
    wired = {(above.id, node.id) for node in made.components for above in node.upstream_nodes}
    assert {*drawn} == wired
    resolvers = {node.id for node in made.components if isinstance(node, Resolver)}
    assert {e for e, arrow in drawn.items() if arrow == "-.->"} == {
        edge for edge in wired if not resolvers.isdisjoint(edge)
    }
