"""What follows a run, a rollback, a blocked retraining: figures are published, hooks called.

Nothing that goes wrong here changes how the run ended: it becomes a warning.
"""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from core.config import Config
from core.files import REPOSITORY
from pipeline.notify import metrics, notices
from pipeline.notify.notices import Notice
from pipeline.notify.notify import notify, origin
from pipeline.report import summary
from pipeline.report.findings import TARGETS
from pipeline.report.summary import Summary
from pipeline.run.signals import interruptible
from pipeline.versions.served import live


def after_run(config: Config, ended: Summary, folder: Path) -> list[str]:
    """Publishes the figures of a run and tells of it.

    Args:
        config: of the run.
        ended: its summary.
        folder: <root>/<name>.

    Returns:
        Warnings, one a line.
    """

    def publish(textfile: Path | None, live: dict[str, int]) -> None:
        metrics.publish(ended, config.name, folder, textfile, live, time.time())

    def told() -> Iterable[Notice]:
        path = summary.path_of(folder, ended.run_id)
        return notices.of_run(ended, origin(config, ended.config), str(path))

    return _told_and_published(config, folder, publish, told)


def after_rollback(
    config: Config, config_name: str, rollback: notices.Rollback, folder: Path
) -> list[str]:
    """Publishes which versions are live and tells of the rollback; arguments and answer as above.

    Args:
        config: of the pipeline.
        config_name: as given on the command line.
        rollback: what was done.
        folder: <root>/<name>.
    """

    def publish(textfile: Path | None, live: dict[str, int]) -> None:
        metrics.publish_live(folder, textfile, live)

    def told() -> Iterable[Notice]:
        return [notices.of_rollback(rollback, origin(config, config_name))]

    return _told_and_published(config, folder, publish, told)


def after_blocked(config: Config, config_name: str, reasons: list[str], folder: Path) -> list[str]:
    """Tells of a retraining that was blocked before a run; arguments and answer as above."""

    def told() -> Iterable[Notice]:
        return [notices.of_blocked(reasons, origin(config, config_name))]

    return _told_and_published(config, folder, lambda textfile, live: None, told)


def _told_and_published(
    config: Config,
    folder: Path,
    publish: Callable[[Path | None, dict[str, int]], None],
    told: Callable[[], Iterable[Notice]],
) -> list[str]:
    warnings: list[str] = []
    try:
        with interruptible():
            warnings += _publish(config, folder, publish)
            warnings += notify(config.notify, told(), folder)
    except KeyboardInterrupt:
        warnings.append("a signal came before all figures and notices were out")
    except Exception as error:  # whatever it is, what was done is done
        warnings.append(f"figures and notices: {type(error).__name__}: {error}")
    return warnings


def _publish(
    config: Config, folder: Path, publish: Callable[[Path | None, dict[str, int]], None]
) -> list[str]:
    textfile = config.metrics.textfile
    path = None if textfile is None else REPOSITORY / textfile
    found = {target: live(folder, config.name, target) for target in TARGETS}
    served = {str(target): version.version for target, version in found.items() if version}
    try:
        publish(path, served)
    except OSError as error:
        return [f"metrics: {error.filename or path} cannot be written: {error.strerror}"]
    return []
