"""Tells the hooks of the configuration what happened. What goes wrong is a warning, never more."""

import json
import os
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from core.config import Config
from core.files import REPOSITORY, append_line
from core.lock import LockHeldError
from core.operation import NotifySection
from pipeline.notify import notices
from pipeline.notify.hooks import post, read_secret_file, run_command
from pipeline.notify.notices import Notice
from pipeline.run.failures import explain

if TYPE_CHECKING:
    from pipeline.run.run import RunRequest

FILE = "notifications.jsonl"  # one line for each hook that was called


def origin(config: Config, config_name: str) -> notices.NoticeOrigin:
    """Here and now."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    host = socket.gethostname()
    return notices.NoticeOrigin(pipeline=config.name, config=config_name, host=host, time=now)


def secrets_of(config: Config) -> list[str]:
    """What a configuration names as secret: a URL, the password of a database."""
    variables = (config.notify.webhook_variable, config.metadata.password_variable)
    found = [os.environ.get(name, "") for name in variables if name is not None]
    for file in (config.notify.webhook_file, config.metadata.password_file):
        if file is not None:
            with suppress(OSError, UnicodeDecodeError):
                found.append(read_secret_file(REPOSITORY / file))
    return found


def notify(
    settings: NotifySection, told: Iterable[Notice], folder: Path, secrets: Sequence[str] = ()
) -> list[str]:
    """Calls each hook with each notice whose event is to be told.

    Args:
        settings: the configuration's section.
        told: the notices.
        folder: <root>/<name>; `notifications.jsonl` there records each call.
        secrets: what neither warnings nor records repeat of a program's words.

    Returns:
        A warning for each call that failed.
    """
    warnings = []
    for notice in told:
        if notice.event not in settings.events:
            continue
        for hook, problem in _call(settings, notice.model_dump_json(), secrets):
            if problem is not None:
                warnings.append(f"notification of '{notice.event}' by {hook}: {problem}")
            line = {
                "time": notice.time,
                "event": notice.event,
                "run_id": notice.run_id,
                "hook": hook,
                "problem": problem,
            }
            try:
                append_line(folder / FILE, json.dumps(line))
            except OSError as error:
                warnings.append(f"{folder / FILE}: cannot be written: {error.strerror}")
    return warnings


def _call(
    settings: NotifySection, payload: str, secrets: Sequence[str]
) -> Iterator[tuple[str, str | None]]:
    """Name of each hook, and what went wrong with it."""
    if settings.command is not None:
        command = run_command(settings.command, payload, settings.timeout, secrets)
        yield "notify.command", command
    if settings.webhook_variable is not None:
        url = os.environ.get(settings.webhook_variable, "").strip()
        problem = f"${settings.webhook_variable} is not set"
        yield "notify.webhook_variable", _post(settings, url, problem, payload)
    if settings.webhook_file is not None:
        try:
            url = read_secret_file(REPOSITORY / settings.webhook_file)
            problem = f"{settings.webhook_file} is empty"
        except (OSError, UnicodeDecodeError) as error:
            url, problem = "", f"{settings.webhook_file} cannot be read ({type(error).__name__})"
        yield "notify.webhook_file", _post(settings, url, problem, payload)


def _post(settings: NotifySection, url: str, problem: str, payload: str) -> str | None:
    return post(url, payload, settings.timeout, settings.retries) if url else problem


@contextmanager
def failures_told(request: "RunRequest", warn: Callable[[list[str]], None]) -> Iterator[None]:
    """Tells of an error that leaves the block: it ended something before a run could begin.

    That another run holds the lock is no failure of the pipeline, and not told.

    Args:
        request: what was asked for.
        warn: is given the warnings of `notify`.
    """
    try:
        yield
    except LockHeldError:
        raise
    except Exception as error:
        failure = explain(error, request.root, request.command)
        notice = notices.of_failure(failure, origin(request.config, request.config_name))
        folder = (request.root / request.config.name).resolve()
        warn(notify(request.config.notify, [notice], folder, secrets_of(request.config)))
        raise
