"""What a card was made of, as ML Metadata has it, and the card made anew."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from core.targets import TARGETS
from core.version_record import VersionRecord, read_record, version_folders, withdrawn_folder
from models.cards.document import Written
from models.cards.files import card_lines
from models.cards.sources import CardInput, Sources, read_sources
from models.cards.told import CardSettings
from pipeline.metadata.executions import Artifact, Execution
from pipeline.metadata.graph import Graph
from pipeline.metadata.lineage import of_version
from pipeline.versions.served import versions

NODE = "ModelCard."
OUTPUT = "cards"
NumberedRecord = tuple[int, VersionRecord]


@dataclass(frozen=True)
class CardMade:
    """An execution of ModelCard.

    Attributes:
      execution: As ML Metadata records it.
    """

    execution: Execution

    @property
    def target(self) -> str:
        """Whose card it made."""
        return self.execution.node.removeprefix(NODE)

    @property
    def code_sha256(self) -> str:
        """Of the code that made it."""
        return str(self.execution.properties.get("code_sha256", ""))

    @property
    def output(self) -> Artifact | None:
        """The files that it wrote."""
        made = self.execution.outputs.get(OUTPUT, [])
        return made[0] if made else None

    def sources(self) -> Sources:
        """Reads its sources anew.

        Raises:
            MissingSourcesError: some are gone or were changed.
        """
        inputs = {key: _input(read[0]) for key, read in self.execution.inputs.items() if read}
        return read_sources(
            inputs, self._told, self.target, str(self.execution.id), TARGETS[self.target].producer
        )

    def lines(self, file: str, record: NumberedRecord | None) -> list[Written]:
        """Makes a file of it anew.

        Args:
            file: one of CARD_FILES.
            record: number and record of the version it lies beside.

        Raises:
            MissingSourcesError: sources are gone or were changed.
            ValidationError: other code made it, which was told other things.
        """
        told = CardSettings.model_validate_json(self._told)
        words = str(self.execution.properties.get("intended_use", ""))
        return card_lines(file, self.sources(), told, words, record)

    @property
    def _told(self) -> str:
        return str(self.execution.properties.get("settings", "{}"))


def _input(artifact: Artifact) -> CardInput:
    return CardInput(artifact.id, artifact.type_name, Path(artifact.uri), artifact.properties)


def made_by(executions: Iterable[Execution], node: str, number: int) -> CardMade | None:
    """The execution of ModelCard with an id; None where there is none that came to its end."""
    for execution in executions:
        if execution.id == number and execution.node == node and execution.state == "COMPLETE":
            return CardMade(execution)
    return None


def of_pushed(
    graph: Graph, folder: Path, target: str, number: int | None
) -> tuple[CardMade, NumberedRecord | None]:
    """What made the card of a version, of the live one without a number, and its record.

    Raises:
        InputError: there is no such version, or it was pushed without a card.
    """
    model = of_version(graph, folder, target, number).model
    assert model.version is not None
    pusher = graph.maker(model.pushed)
    cards = pusher.inputs.get(OUTPUT, []) if pusher else []
    maker = graph.maker(cards[0]) if cards else None
    if maker is None:
        raise InputError(
            f"{target} version {model.version.version} was pushed without a card; versions that a "
            "run pushes from now on have one"
        )
    record = read_record(model.version.path)
    return CardMade(maker), (model.version.version, record) if record else None


def record_of(folder: Path, target: str, number: int) -> NumberedRecord | None:
    """The record of a version, served or rolled back; None where its folder is gone."""
    served = TARGETS[target].served(folder, folder.name)
    path = (version_folders(served) | version_folders(withdrawn_folder(served))).get(number)
    record = read_record(path) if path else None
    return (number, record) if record else None


def card_paths(folder: Path) -> list[Path]:
    """The Markdown model cards beside versions that can be served, live ones first."""
    found = [
        (version.status != "live", version.path / "model_card.md")
        for target in TARGETS
        for version in versions(folder, folder.name, target)
    ]
    return [path for _, path in sorted(found, key=lambda one: one[0]) if path.is_file()]
