"""What follows a run, a rollback, a blocked retraining, a look at requests: figures, hooks."""

import time
from collections.abc import Iterable
from pathlib import Path

from core.config import Config
from core.files import REPOSITORY
from core.targets import TARGETS
from pipeline.monitoring.records import MonitorReport
from pipeline.notify import metrics, notices
from pipeline.notify.notices import Blocked, Notice, NoticeOrigin
from pipeline.notify.notify import notify, origin, secrets_of
from pipeline.report import summary
from pipeline.report.summary import Summary
from pipeline.run.signals import interruptible
from pipeline.versions.rollback import Rollback
from pipeline.versions.served import live

Event = Summary | Rollback | Blocked | MonitorReport


def after(event: Event, config: Config, config_name: str, folder: Path) -> list[str]:
    """Publishes the figures of an event and tells of it.

    Nothing that goes wrong here changes how the run ended: it becomes a warning.

    Args:
        event: a run that ended, by its summary; what was rolled back, or blocked before a run; what
            `monitor` found.
        config: of the pipeline.
        config_name: as given on the command line.
        folder: <root>/<name>.

    Returns:
        Warnings, one a line.
    """
    warnings: list[str] = []
    try:
        with interruptible():
            if not isinstance(event, Blocked):
                warnings += _publish(event, config, folder)
            told = _notices(event, origin(config, config_name), folder)
            warnings += notify(config.notify, told, folder, secrets_of(config))
    except KeyboardInterrupt:
        warnings.append("a signal came before all figures and notices were out")
    except Exception as error:  # whatever it is, what was done is done
        warnings.append(f"figures and notices: {type(error).__name__}: {error}")
    return warnings


def _notices(event: Event, here: NoticeOrigin, folder: Path) -> Iterable[Notice]:
    match event:
        case Summary():
            return notices.of_run(event, here, str(summary.path_of(folder, event.run_id)))
        case Rollback():
            return [notices.of_rollback(event, here)]
        case Blocked():
            return [notices.of_blocked(event.reasons, here)]
        case MonitorReport():
            return notices.of_monitoring(event, here)


def _publish(event: Summary | Rollback | MonitorReport, config: Config, folder: Path) -> list[str]:
    textfile = config.metrics.textfile
    path = None if textfile is None else REPOSITORY / textfile
    found = {target: live(folder, config.name, target) for target in TARGETS}
    served = {str(target): version.version for target, version in found.items() if version}
    ended = event if isinstance(event, Summary) else None
    try:
        metrics.publish(ended, config.name, folder, path, served, time.time())
    except OSError as error:
        return [f"metrics: {error.filename or path} cannot be written: {error.strerror}"]
    return []
