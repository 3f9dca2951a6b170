"""Starts what serves: sockets, then one process or several.

TensorFlow is not imported here: the server target's processes import it, without Keras, which a
server does not need; the edge target's only have the messages that come with it.
"""

import importlib
import importlib.util
import logging
import os
import socket
import sys
import tempfile
import types
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.supervisors import Multiprocess

from core.config import Config
from core.errors import InputError
from core.targets import SERVER, TARGETS
from core.version_record import version_folders
from models.export.lean_process import hide_unneeded
from pipeline.serving.options import ServeOptions
from pipeline.serving.protocols.direct import DirectProtocol

_BACKLOG = 2048
_KEEP_ALIVE = 75  # seconds that a connection may be idle
_GRACE = 10  # seconds that answers under way may take when the server ends


def serve(options: ServeOptions, listener: socket.socket) -> None:
    """Serves until a signal.

    Args:
      options: What to serve.
      listener: Where HTTP is listened for.
    """
    workers = options.config.serving.workers
    if workers == 1:
        uvicorn.Server(_settings(options)).run(sockets=[listener])
        return
    with tempfile.TemporaryDirectory() as folder:
        settings = _settings(replace(options, figures=Path(folder)))
        settings.workers = workers
        Multiprocess(settings, [listener]).run()


def _settings(options: ServeOptions) -> uvicorn.Config:
    return uvicorn.Config(
        partial(make_app, options),
        factory=True,
        loop="uvloop",
        http=DirectProtocol,
        ws="none",
        proxy_headers=False,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=_GRACE,
    )


def make_app(options: ServeOptions) -> Any:
    """The application, in the process that serves."""
    log_to_stderr()
    if options.target == SERVER.name:
        load_tensorflow()
    else:
        messages_without_tensorflow()
    return importlib.import_module("pipeline.serving.app").Application(options)


def load_tensorflow() -> None:
    """Imports TensorFlow for a process that only runs graphs."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    hide_unneeded()
    importlib.import_module("tensorflow").get_logger().setLevel(logging.ERROR)


def messages_without_tensorflow() -> None:
    """Makes TensorFlow's messages importable (`tensorflow.core...`) without importing TensorFlow.

    tensorflow-serving-api's messages are made of them, and so is tf.Example. Importing one imports
    the package around it, which takes seconds and 400 MB: an empty package stands in for it.
    """
    if "tensorflow" in sys.modules:
        return
    found = importlib.util.find_spec("tensorflow")
    if found is None or found.submodule_search_locations is None:
        raise InputError("TensorFlow's messages are not installed: run `make setup`")
    package = types.ModuleType("tensorflow")
    package.__path__ = list(found.submodule_search_locations)
    sys.modules["tensorflow"] = package


def log_to_stderr() -> None:
    """One line for each event of the server, none for requests."""
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr
    )
    logging.getLogger("pipeline.serving").setLevel(logging.INFO)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
      InputError: The address is taken, or none of this machine.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, OverflowError) as error:
        other = "--host, --port and --grpc-port name another"
        raise InputError(f"cannot listen on {host}, port {port}: {error}; {other}") from error


def free_port(host: str, port: int) -> int:
    """A port for gRPC, which listens for itself: one that nobody has now; 0: any.

    Raises:
      InputError: As `listen`. Processes of one server share it; two servers must not.
    """
    with listen(host, port) as found:
        number: int = found.getsockname()[1]
        return number


def read_token(config: Config, variables: Mapping[str, str]) -> str | None:
    """The token that requests must bear; None when none is asked for.

    Raises:
      InputError: The variable or the file that is to hold it does not.
    """
    serving = config.serving
    if serving.token_variable is not None:
        token, where = (
            variables.get(serving.token_variable, ""),
            f"the variable {serving.token_variable}",
        )
    elif serving.token_file is not None:
        where = serving.token_file
        try:
            token = Path(where).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"serving.token_file: {where} cannot be read: {error}") from error
    else:
        return None
    token = token.strip()
    if not token or not token.isascii() or len(token.split()) > 1:
        raise InputError(f"{where} holds no token: one word of ASCII is expected there")
    return token


def check_there_is_a_version(options: ServeOptions) -> int:
    """The version that will be live.

    Raises:
      InputError: None was pushed, or that of a shadow or a canary was not, or the canary is live.
    """
    served = TARGETS[options.target].served(options.run_folder, options.config.name)
    folders = version_folders(served)
    if not folders:
        raise InputError(
            f"{options.target}: no version in {served}; `run` pushes one, `models` lists them, "
            "--config and --root name other folders"
        )
    live, canary, shadow = max(folders), options.canary, options.shadow
    for flag, number in (
        ("--canary", canary and canary.version),
        ("--shadow", shadow and shadow.version),
    ):
        if number is not None and number not in folders:
            there = ", ".join(str(one) for one in sorted(folders, reverse=True))
            raise InputError(
                f"{flag} {number}: no such version in {served}; there are {there}. `rollback "
                f"{options.target} {number}` brings one back that was withdrawn"
            )
    if canary is not None and canary.version == live:
        raise InputError(
            f"--canary {live}: is the live version of {options.target}, which answers the other "
            "requests; name an earlier one"
        )
    return live
