"""What a card rests on: files and properties of artifacts, each with its artifact's id and digest.

A node and whoever verifies a card read them by the same functions here.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.names import (
    ANSWERS_FILE,
    CHOICE,
    FAIRNESS_GATES,
    FEATURE_REPORT,
    FILES_SHA256,
    LABEL_GATES,
    LABEL_REPORT,
    PUSH_CHECKS,
    PUSH_GATES,
    QUANTIZATION_REPORT,
    REFERENCES_REPORT,
    SOURCE_FILES,
    SPLITS,
    TRAINING_REPORT,
    VARIANT_REPORT,
)
from models.cards.document import Claim, Pointer, SourceRow
from models.cards.forms import plain
from models.cards.protos import schema_view, statistics_view

SETTINGS = "told"
"""The source that is what the node was told, JSON of `CardSettings`."""


@dataclass(frozen=True)
class CardInput:
    """An artifact that a card is given, wherever its record comes from.

    Attributes:
      id: In ML Metadata.
      type_name: Name of its type.
      folder: Of its files.
      properties: Plain ones, the type's and its own.
    """

    id: int
    type_name: str
    folder: Path
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class _Reading:
    """Where a source lies: the input's key, the node that makes it, a file or a property of it."""

    key: str
    node: str
    file: str = ""
    of_property: str = ""
    read: Callable[[bytes], Any] = json.loads


READINGS: Mapping[str, _Reading] = {
    "files": _Reading("examples", "CsvExampleGen", of_property=SOURCE_FILES),
    **{
        f"statistics.{split}": _Reading(
            "statistics", "StatisticsGen", f"Split-{split}/FeatureStats.pb", read=statistics_view
        )
        for split in SPLITS
    },
    "contract": _Reading("schema", "ImportSchemaGen", "schema.pbtxt", read=schema_view),
    "answers": _Reading("answers", "AnswerImporter", ANSWERS_FILE),
    "labels": _Reading("label_report", LABEL_REPORT.node, LABEL_REPORT.file),
    "label_gates": _Reading("label_gates", LABEL_GATES.node, LABEL_GATES.file),
    "features": _Reading("feature_report", FEATURE_REPORT.node, FEATURE_REPORT.file),
    "training": _Reading("model_run", TRAINING_REPORT.node, TRAINING_REPORT.file),
    "quantization": _Reading("variants", QUANTIZATION_REPORT.node, QUANTIZATION_REPORT.file),
    "choice": _Reading("choice", CHOICE.node, CHOICE.file),
    "variants": _Reading("variant_report", VARIANT_REPORT.node, VARIANT_REPORT.file),
    "references": _Reading("variant_report", REFERENCES_REPORT.node, REFERENCES_REPORT.file),
    "fairness": _Reading("fairness_gates", FAIRNESS_GATES.node, FAIRNESS_GATES.file),
    "push": _Reading("push_gates", PUSH_GATES.node, PUSH_GATES.file),
    "checks": _Reading("push_gates", PUSH_CHECKS.node, PUSH_CHECKS.file),
    "blessing": _Reading("blessing", PUSH_GATES.node, of_property="blessed"),
    "model": _Reading("model", "", of_property=FILES_SHA256),
    "evaluation": _Reading("evaluation", "Evaluator.{target}", of_property=FILES_SHA256),
}
"""What is read of which input, by the name that the cards call it."""


@dataclass(frozen=True)
class CardSource(SourceRow):
    """Something that claims rest on; `content` are JSON values."""

    content: Any = field(repr=False, compare=False)


@dataclass(frozen=True)
class Sources:
    """All that a card rests on, by the names of `READINGS`.

    Attributes:
      target: Whose card it is.
      execution: Id of the execution of the node, as text.
      found: Those that are there.
    """

    target: str
    execution: str
    found: Mapping[str, CardSource]

    @property
    def variant(self) -> str:
        """The target's model among those that VariantEvaluator measures."""
        return str(self.get("choice", "variant"))

    def get(self, name: str, *path: str | int) -> Any:
        """A value; None where there is none."""
        value = self.found[name].content if name in self.found else None
        for step in path:
            if isinstance(value, Mapping):
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                value = value[step]
            else:
                return None
        return value

    def claim(self, name: str, *path: str | int, form: Callable[[Any], str] = plain) -> Claim:
        """A value as it is shown, with where it stands; what is not there is shown as that."""
        source = self.found[name]
        value = self.get(name, *path)
        return Claim(form(value), Pointer(source.label, source.file, path), _raw(value))

    def keys(self, name: str, *path: str | int) -> list[str]:
        """Keys of an object; none where there is none."""
        value = self.get(name, *path)
        return list(value) if isinstance(value, Mapping) else []

    def places(self, name: str, *path: str | int) -> range:
        """Places of a list; none where there is none."""
        value = self.get(name, *path)
        return range(len(value)) if isinstance(value, list) else range(0)

    def __contains__(self, name: str) -> bool:
        return name in self.found


def _raw(value: Any) -> str:
    whole = isinstance(value, Mapping | list)
    return str(len(value)) if whole and len(value) > 2 else json.dumps(value, ensure_ascii=False)


class MissingSourcesError(InputError):
    """Sources of a card are gone, or not as they were when they were made.

    Attributes:
      problems: One line for each.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def read_sources(
    inputs: Mapping[str, CardInput], settings: str, target: str, execution: str, producer: str
) -> Sources:
    """Reads what a card rests on.

    Args:
      inputs: Artifacts by the node's keys; those that are optional may be left out.
      settings: What the node was told, JSON of `CardSettings`.
      target: Whose card it is.
      execution: Id of the node's execution.
      producer: Node that made the target's model.

    Raises:
      MissingSourcesError: A file is gone, or not as it was when its digest was noted.
    """
    found = {
        SETTINGS: CardSource(
            SETTINGS,
            None,
            "",
            f"ModelCard.{target}",
            "settings",
            _sha256(settings.encode()),
            json.loads(settings),
        )
    }
    problems: list[str] = []
    for name, reading in READINGS.items():
        if reading.key not in inputs:
            continue
        node = reading.node.format(target=target) or producer
        try:
            if (source := _read(reading, inputs[reading.key], node)) is not None:
                found[name] = source
        except InputError as error:
            problems.append(str(error))
    if problems:
        raise MissingSourcesError(problems)
    return Sources(target, execution, found)


def _read(reading: _Reading, given: CardInput, node: str) -> CardSource | None:
    label = f"m{given.id}"
    if reading.of_property:
        value = given.properties.get(reading.of_property)
        if value is None:
            return None
        text, what = str(value), f"property {reading.of_property}"
        content = json.loads(text)
        return CardSource(
            label, given.id, given.type_name, node, what, _sha256(text.encode()), content
        )
    noted = json.loads(str(given.properties.get(FILES_SHA256) or "{}"))
    path = given.folder / reading.file
    who = f"{label} ({given.type_name} of {node}), {reading.file}"
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        if given.folder.is_dir() and reading.file not in noted:
            return None
        raise InputError(f"{who}: gone from {given.folder}") from None
    except OSError as error:
        raise InputError(f"{who}: cannot be read ({error.strerror})") from None
    digest = _sha256(content)
    if noted.get(reading.file, digest) != digest:
        raise InputError(
            f"{who}: changed since it was made: its SHA-256 is {digest}, ML Metadata noted "
            f"{noted[reading.file]}"
        )
    return CardSource(
        label, given.id, given.type_name, node, reading.file, digest, reading.read(content)
    )


def listed(sources: Sources) -> Iterator[CardSource]:
    """The sources in the order of their artifacts, what the node was told last."""
    return iter(
        sorted(
            sources.found.values(),
            key=lambda s: (s.artifact_id is None, s.artifact_id or 0, s.file),
        )
    )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
