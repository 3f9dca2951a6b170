"""What follows every run: its figures are published and its hooks called.

Nothing that goes wrong here changes how the run ended: it becomes a warning.
"""

import time
from pathlib import Path

from pipeline import summary
from pipeline.config import REPOSITORY, Config
from pipeline.findings import TARGETS
from pipeline.summary import Summary
from pipeline.upkeep import metrics, notices
from pipeline.upkeep.notify import notify, origin
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
    warnings: list[str] = []
    try:
        warnings += _publish(config, ended, folder)
        path = summary.path_of(folder, ended.run_id)
        told = notices.of_run(ended, origin(config, ended.config), str(path))
        warnings += notify(config.notify, told, folder)
    except KeyboardInterrupt:
        warnings.append("a signal came before all figures and notices were out")
    except Exception as error:  # whatever it is, the run has ended as it has
        warnings.append(f"figures and notices: {type(error).__name__}: {error}")
    return warnings


def _publish(config: Config, ended: Summary, folder: Path) -> list[str]:
    textfile = config.metrics.textfile
    path = None if textfile is None else REPOSITORY / textfile
    found = {target: live(folder, config.name, target) for target in TARGETS}
    served = {str(target): version.version for target, version in found.items() if version}
    try:
        metrics.publish(ended, config.name, folder, path, served, time.time())
    except OSError as error:
        return [f"metrics: {error.filename or path} cannot be written: {error.strerror}"]
    return []
