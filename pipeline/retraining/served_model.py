"""What is known of the models that are served: versions, runs, training data, metrics."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from core.errors import InputError
from core.names import FILES_SHA256
from core.targets import TARGETS
from core.version_record import version_damage
from models.metrics.gates import OVERALL
from pipeline.ingestion import ledger
from pipeline.metadata.damage import damage_of
from pipeline.metadata.executions import Execution, find
from pipeline.metadata.store import open_store
from pipeline.report import summary
from pipeline.report.summary import MeasuredModel
from pipeline.retraining.answered import imports_of_run
from pipeline.retraining.records import Log
from pipeline.versions.served import Version, live

STATISTICS = Path("Split-train") / "FeatureStats.pb"


@dataclass(frozen=True)
class ServedModels:
    """The served models, with facts of the server's; None or empty where nothing says so.

    versions: by target; None where none is served, or a damaged one.
    trained_on: SHA-256 of the files of each span that all of them were trained on.
    trained_at: when the run of the server model was decided on, or else when it was pushed.
    statistics: file of statistics of the rows that the server model was trained on; None where it
        is damaged, too.
    learnt_from: imports of answers that the run of the server model took.
    metrics: the server model's metrics on the test part when it was pushed.
    damaged: by target, which file of a live version is damaged or gone.
    classes: what the server model's reports call the classes that it tells apart, in the order of
        its answers: of two negative and positive.
    """

    versions: Mapping[str, Version | None]
    trained_on: Mapping[int, frozenset[str]] | None
    trained_at: datetime | None
    statistics: Path | None
    learnt_from: frozenset[str] | None
    metrics: Mapping[str, float]
    damaged: Mapping[str, str] = field(default_factory=dict)
    classes: tuple[str, ...] | None = None

    @property
    def numbers(self) -> dict[str, int | None]:
        """Number of the version that is served, by target."""
        return {t: None if v is None else v.version for t, v in self.versions.items()}

    @property
    def server(self) -> Version | None:
        """The version of the server model."""
        return self.versions["server"]


def look_up(run_folder: Path, name: str, log: Log) -> ServedModels:
    """Finds what is served under <root>/<name>, and the runs behind it in ML Metadata."""
    found = {target: live(run_folder, name, target) for target in TARGETS}
    damages = {t: version_damage(version.path) for t, version in found.items() if version}
    damaged = {target: damage for target, damage in damages.items() if damage is not None}
    versions = {t: None if t in damaged else version for t, version in found.items()}
    server = versions["server"]
    executions = executions_of(run_folder, server.run_id if server else None)
    model = _measured(run_folder, server)
    return ServedModels(
        versions,
        _trained_on(run_folder, versions),
        _trained_at(server, log),
        statistics_of_run(executions),
        imports_of_run(executions),
        _metrics(model),
        damaged,
        _classes(model),
    )


def executions_of(run_folder: Path, run_id: str | None) -> list[Execution]:
    """The executions of a run; none where there is no such run."""
    store = open_store(run_folder)
    return store.executions(run_id) if store and run_id else []


def _trained_on(
    run_folder: Path, versions: Mapping[str, Version | None]
) -> dict[int, frozenset[str]] | None:
    """What is the same in the training data of every version; None where a run is unknown."""
    common: dict[int, frozenset[str]] | None = None
    for run_id in {version.run_id for version in versions.values() if version is not None}:
        spans = ledger.spans_of(executions_of(run_folder, run_id))
        if not spans:
            return None
        if common is None:
            common = spans
        common = {span: sums for span, sums in common.items() if spans.get(span) == sums}
    return common


def _trained_at(server: Version | None, log: Log) -> datetime | None:
    if server is None:
        return None
    decision = log.decision_of(server.run_id) if server.run_id else None
    return decision.at if decision else datetime.fromtimestamp(server.version, UTC)


def statistics_of_run(executions: list[Execution]) -> Path | None:
    """The file of statistics of the rows that a run trained on; None where it is gone."""
    artifact = find(executions, "StatisticsGen", "ExampleStatistics")
    if artifact is None or damage_of(artifact.uri, str(artifact.properties.get(FILES_SHA256, ""))):
        return None
    path = Path(artifact.uri) / STATISTICS
    return path if path.is_file() else None


def _measured(run_folder: Path, server: Version | None) -> MeasuredModel | None:
    """What the run of the served model measured of it; None where nothing says so."""
    if server is None or server.run_id is None:
        return None
    try:
        found = summary.read(summary.path_of(run_folder, server.run_id))
    except InputError:
        return None
    variant = found.targets.get("server")
    return found.models.get(variant) if variant else None


def _classes(model: MeasuredModel | None) -> tuple[str, ...] | None:
    overall = model.evidence.get(OVERALL) if model else None
    return tuple(overall.of_classes) if overall else None


def _metrics(model: MeasuredModel | None) -> dict[str, float]:
    metrics = model.metrics if model else {}
    return {name: float(value) for name, value in metrics.items() if value is not None}
