"""What no single key of operation shows."""

from collections.abc import Iterator

from core.config import Config
from core.errors import InputError
from models.metrics.registry import MONITORED_RATES, metrics_of
from pipeline.config.overlay import KeyPath
from pipeline.metadata import address as metadata_address
from pipeline.schedule.cron import parse

_TEXTFILE_ENDING = ".prom"  # the collector reads no other


def check_operations(config: Config) -> Iterator[tuple[KeyPath, str]]:
    """Problems of the schedule, of notification, of metrics and of the metadata store."""
    try:
        parse(config.schedule.cron, config.schedule.timezone)
    except ValueError as error:
        key = "timezone" if "time zone" in str(error) else "cron"
        yield ("schedule", key), str(error)
    if config.notify.webhook_variable is not None and config.notify.webhook_file is not None:
        yield ("notify", "webhook_file"), "notify.webhook_variable is given, too; give one of them"
    textfile = config.metrics.textfile
    if textfile is not None and not textfile.endswith(_TEXTFILE_ENDING):
        yield (
            ("metrics", "textfile"),
            f"'{textfile}' does not end in {_TEXTFILE_ENDING}, so the collector would not read it",
        )
    yield from _check_metadata(config)
    yield from _check_serving(config)
    yield from _check_monitor(config)


def _check_monitor(config: Config) -> Iterator[tuple[KeyPath, str]]:
    monitor = config.monitor
    if len(config.columns.classes) < 2:
        return
    known = metrics_of(config.columns.names)
    rates = ("recall",) if known.kinds else MONITORED_RATES
    for metric in monitor.max_drop:
        if metric not in known.together:
            yield (
                ("monitor", "max_drop", metric),
                f"there is no metric '{metric}'; there are: {', '.join(known.together)}",
            )
    alone = [keys[0] for keys in config.evaluation.slices if len(keys) == 1]
    for column, bounds in monitor.max_gap.items():
        if column not in alone:
            yield (
                ("monitor", "max_gap", column),
                f"evaluation.slices has no [{column}]; there are: {', '.join(alone) or 'none'}",
            )
        for rate in bounds:
            if rate not in rates:
                yield (
                    ("monitor", "max_gap", column, rate),
                    f"there is no rate '{rate}' to estimate; there are: {', '.join(rates)}",
                )


def _check_serving(config: Config) -> Iterator[tuple[KeyPath, str]]:
    serving, columns = config.serving, config.columns
    if serving.token_variable is not None and serving.token_file is not None:
        yield ("serving", "token_file"), "serving.token_variable is given, too; give one of them"
    known = columns.features
    for column in serving.log.leave_out:
        if column not in known:
            yield ("serving", "log", "leave_out"), f"there is no column '{column}'"
    if serving.log.file_bytes > serving.log.bytes:
        yield (
            ("serving", "log", "file_bytes"),
            "more than serving.log.bytes, the bound of all files",
        )


def _check_metadata(config: Config) -> Iterator[tuple[KeyPath, str]]:
    metadata = config.metadata
    given = [
        key for key in ("password_variable", "password_file") if getattr(metadata, key) is not None
    ]
    if metadata.connection is None:
        for key in given:
            yield ("metadata", key), "nothing asks for a password; give metadata.connection, too"
        return
    if len(given) > 1:
        yield ("metadata", "password_file"), "give this or metadata.password_variable, not both"
    try:
        metadata_address.parse(metadata.connection)
    except InputError as error:
        yield ("metadata", "connection"), str(error)
