"""What stands behind the cards of a small run: artifacts with digests, and a store that has them.

The texts of its data are harmful wherever they are shown.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd
from tensorflow_metadata.proto.v0 import statistics_pb2

from core.names import FILES_SHA256, SOURCE_FILES
from core.targets import SERVER
from models.cards.files import card_files
from models.cards.sources import CardInput, Sources, read_sources
from models.cards.told import CardSettings
from pipeline.config.load import load
from pipeline.metadata.connection import SQLITE, note_place
from pipeline.metadata.damage import digests_as_text
from pipeline.settings import settings_json

HARM = "<script>alert(1)</script>|*b* [x](javascript:alert(2)) `c` http://evil.example &amp; $q$"
TURNED = "\u202eright to left\nnew line"
WORDS = "# For whom\n\nFor the 12 people who asked.\n\n- not for others,\n  ever\n"
INTERVAL = [0.61, 0.9]
TARGET, NODE = "server", "ModelCard.server"


def metrics(classes: int) -> list[str]:
    """What is measured of two classes, or of three."""
    if classes == 2:
        return ["auc", "accuracy"]
    return ["accuracy", "macro_f1", *(f"recall[{name}]" for name in names(classes))]


def names(classes: int) -> list[str]:
    """The classes by their codes."""
    return ["no", HARM] if classes == 2 else ["no", HARM, "third"]


def variant(classes: int, value: float) -> dict[str, Any]:
    """What is measured of a model; in the second group nothing can be."""
    everything = metrics(classes)
    groups = {f"sex={HARM}": value, "sex=b": None}
    return {
        "metrics": dict.fromkeys(everything, value) | {"examples": 1234},
        "evidence": {
            "overall": {"rows": 1234, "intervals": dict.fromkeys(everything, INTERVAL)},
            f"sex={HARM}": {"rows": 1200, "intervals": dict.fromkeys(everything, INTERVAL)},
            "sex=b": {"rows": 34, "intervals": dict.fromkeys(everything)},
        },
        "slices": {
            group: dict.fromkeys([*everything, "tpr"], found) | {"examples": 17}
            for group, found in groups.items()
        },
        "gaps": {"sex": {"tpr": 0.0712, "fpr": None}},
        "against_teacher": [
            {"metric": "accuracy", "slice": "overall", "value": -1e-05, "low": -0.2, "high": 0.1},
            {"metric": "accuracy", "slice": "sex=b", "value": 0.5, "low": 0.2, "high": 0.9},
        ],
        "against_reference": {
            "boosted_trees": [
                {
                    "metric": "accuracy",
                    "slice": "overall",
                    "value": 0.0123,
                    "low": -0.1,
                    "high": 0.2,
                }
            ]
        },
        "bytes": 6488,
        "gzip_bytes": 3296,
        "latency_us": {"batch_1": 1.234},
        "sparsity": 0.5,
    }


def gate(metric: str, passed: bool, **more: Any) -> dict[str, Any]:
    """A row of gates.json."""
    row = {"target": TARGET, "metric": metric, "slice": f"sex={HARM}", "value": 0.8421}
    row |= {"bound": ">= 0.85", "passed": passed, "key": "evaluation.server.min.auc"}
    return {**row, "why": None, "interval": None, "rows": None, "undecided": False, **more}


def statistics(rows: int) -> bytes:
    """Of a split with a number, a category and the label."""
    parsed = statistics_pb2.DatasetFeatureStatisticsList()
    data = parsed.datasets.add(num_examples=rows)
    age = data.features.add(name="age")
    age.num_stats.common_stats.num_missing = 3
    for column, values in (("sex", (HARM, "b")), ("class", ("no", HARM))):
        feature = data.features.add(type=statistics_pb2.FeatureNameStatistics.STRING)
        feature.path.step.append(column)
        feature.string_stats.unique = 2
        for place, value in enumerate(values):
            bucket = feature.string_stats.rank_histogram.buckets.add(label=value)
            bucket.sample_count = rows - 40 if place == 0 else 40
    return parsed.SerializeToString()


CONTRACT = """
feature { name: "age" type: INT presence { min_fraction: 0.5 } int_domain { min: 17 max: 90 } }
feature { name: "sex" type: BYTES domain: "sex" }
feature { name: "class" type: BYTES }
string_domain { name: "sex" value: "b" value: "c" }
"""


def settings(**cards: Any) -> str:
    """What the node is told."""
    values = json.loads(settings_json(CardSettings, load("smoke")))
    classes = cards.pop("classes", 2)
    values["name"] = "tiny"
    values["columns"] |= {
        "label": "class", "classes": names(classes), "positive": HARM if classes == 2 else None,
        "numeric": ["age"], "categorical": ["sex"], "groups": {},
    }  # fmt: skip
    values["evaluation"]["slices"] = [["sex"], ["age"]]
    values["cards"] = {
        "intended_use": "configs/cards/census.md", "source": TURNED, "licence": None,
        "sensitive": ["sex"], **cards,
    }  # fmt: skip
    return CardSettings.model_validate_json(json.dumps(values)).model_dump_json()


def contents(classes: int = 2) -> dict[str, tuple[str, dict[str, Any]]]:
    """By the node's keys the type of an artifact and its files: JSON values, texts or bytes."""
    report = {
        "mode": "weak", "rows": 1333, "gold_rows": 100, "coverage": 0.96, "accuracy_on_gold": 0.83,
        "accuracy_interval": [0.74, 0.89], "method": "average", "method_reason": TURNED,
        "functions": {
            HARM: {"coverage": 0.08, "gold_votes": 10, "accuracy_on_gold": None, "weight": 1.0}
        },
    }  # fmt: skip
    hyperparameters = {"learning_rate": 0.002, "hidden_units": [64, 32]}
    training = {"start": {"start": "cold", "reason": HARM}, "hyperparameters": hyperparameters}
    variants = {name: variant(classes, value) for name, value in (("teacher", 0.81234),)}
    variants["teacher_pruned"] = variant(classes, 0.79876)
    imported = {"id": "a1", "file_sha256": "0f"}
    pushed = {"sample_rows": 100, "latency_ms": 0.2214, "live_version": None}
    dropped = [{"column": "age", "reason": "one value in 99.95% of rows"}]
    return {
        "examples": ("Examples", {}),
        "statistics": (
            "ExampleStatistics",
            {
                "Split-train/FeatureStats.pb": statistics(1059),
                "Split-test/FeatureStats.pb": statistics(667),
            },
        ),
        "schema": ("Schema", {"schema.pbtxt": CONTRACT}),
        "answers": (
            "Answers",
            {"answers.json": {"imports": [imported], "answers": {"r": {}}}},
        ),
        "label_report": ("LabelReport", {"label_report.json": report}),
        "label_gates": ("GateReport", {"gates.json": []}),
        "feature_report": (
            "FeatureReport", {"feature_report.json": {"kept": ["sex"], "dropped": dropped}},
        ),
        "model_run": ("ModelRun", {"training.json": training}),
        "model": ("Model", {"Format-Serving/saved_model.pb": "graph"}),
        "variants": ("TFLiteVariants", {"quantization.json": {"student": {"difference": 1e-05}}}),
        "variant_report": (
            "VariantReport",
            {
                "variants.json": variants,
                "references.json": {"boosted_trees": variant(classes, 0.8123)},
            },
        ),
        "evaluation": ("ModelEvaluation", {"metrics": "x"}),
        "fairness_gates": (
            "GateReport",
            {"gates.json": [gate("auc", True), gate("f1", False, why=HARM, interval=INTERVAL)]},
        ),
        "push_gates": ("GateReport", {"gates.json": [], "checks.json": pushed}),
        "blessing": ("ModelBlessing", {}),
        "choice": (
            "VariantChoice", {"choice.json": {"variant": "teacher_pruned", "reason": HARM}},
        ),
    }  # fmt: skip


class CardRun:
    """A folder <root>/tiny with what the cards of a model rest on, and the cards.

    Attributes:
      folder: <root>/tiny.
      inputs: The artifacts by the node's keys.
      settings: What the node was told.
    """

    def __init__(self, folder: Path, classes: int = 2, **cards: Any) -> None:
        self.folder, self.inputs = folder, dict[str, CardInput]()
        self.settings = settings(classes=classes, **cards)
        for number, (key, (kind, files)) in enumerate(contents(classes).items(), start=11):
            place = folder / "artifacts" / key / "1"
            place.mkdir(parents=True)
            for name, content in files.items():
                write(place / name, content)
            told: dict[str, Any] = {FILES_SHA256: digests_as_text(place)}
            if key == "examples":
                told[SOURCE_FILES] = json.dumps([["span-1/data.csv", "3cdad858"]])
            if key == "blessing":
                told["blessed"] = 1
            self.inputs[key] = CardInput(number, kind, place, told)

    def told(self) -> CardSettings:
        """What the node was told."""
        return CardSettings.model_validate_json(self.settings)

    def sources(self, execution: str = "1") -> Sources:
        """What the cards rest on."""
        return read_sources(self.inputs, self.settings, TARGET, execution, SERVER.producer)

    def record(self, code_sha256: str, changed: tuple[str, str] = ("", "")) -> Path:
        """Writes a store that has all that, and the cards that the node makes.

        Args:
            code_sha256: What the store says of the node's code.
            changed: What other code would have written, for what this code writes.

        Returns:
            The folder of the cards.
        """
        config = mlmd.ConnectionConfig()
        config.sqlite.filename_uri = str(self.folder / SQLITE)
        config.sqlite.connection_mode = mlmd.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
        store = MetadataStore(config)
        ids = {
            key: _put(store, i.type_name, i.folder, i.properties) for key, i in self.inputs.items()
        }
        for key, number in ids.items():
            given = self.inputs[key]
            self.inputs[key] = CardInput(number, given.type_name, given.folder, given.properties)
        told = {"settings": self.settings, "intended_use": WORDS, "target": TARGET}
        told["code_sha256"] = code_sha256
        execution = mlmd.Execution(
            type_id=store.put_execution_type(mlmd.ExecutionType(name=NODE)),
            last_known_state=mlmd.Execution.COMPLETE,
        )
        for name, value in told.items():
            execution.custom_properties[name].string_value = value
        [number] = store.put_executions([execution])
        cards = self.folder / "artifacts" / NODE / "cards" / str(number)
        cards.mkdir(parents=True)
        for name, text in card_files(self.sources(str(number)), self.told(), WORDS).items():
            (cards / name).write_text(text.replace(*changed), encoding="utf-8")
        made = _put(store, "Cards", cards, {FILES_SHA256: digests_as_text(cards)})
        events = [_event(number, i, mlmd.Event.INPUT, key) for key, i in ids.items()]
        store.put_events([*events, _event(number, made, mlmd.Event.OUTPUT, "cards")])
        for kind, context in (("pipeline", "tiny"), ("node", f"tiny.{NODE}")):
            type_id = store.put_context_type(mlmd.ContextType(name=kind))
            [found] = store.put_contexts([mlmd.Context(type_id=type_id, name=context)])
            link = mlmd.Association(context_id=found, execution_id=number)
            store.put_attributions_and_associations([], [link])
        note_place(store, self.folder, "")
        return cards


def write(path: Path, content: Any) -> None:
    """Writes a file: bytes, a text, or JSON values."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")


def _put(store: MetadataStore, kind: str, folder: Path, told: Mapping[str, Any]) -> int:
    type_id = store.put_artifact_type(mlmd.ArtifactType(name=kind))
    artifact = mlmd.Artifact(type_id=type_id, uri=str(folder), state=mlmd.Artifact.LIVE)
    for name, value in told.items():
        field = "int_value" if isinstance(value, int) else "string_value"
        setattr(artifact.custom_properties[name], field, value)
    [number] = store.put_artifacts([artifact])
    return int(number)


def _event(execution: int, artifact: int, kind: "mlmd.Event.Type", key: str) -> mlmd.Event:
    event = mlmd.Event(execution_id=execution, artifact_id=artifact, type=kind)
    event.path.steps.add().key = key
    return event
