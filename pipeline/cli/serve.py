"""`serve`: answers over the network with what was pushed."""

import argparse
import os

from rich.console import Console

from core.config import Config
from core.errors import InputError
from pipeline.cli.common import DONE, add_common_flags, add_target_flag, load_config, run_folder
from pipeline.report.markup import escape
from pipeline.serving import serve as serving
from pipeline.serving.options import CanaryName, ServeOptions, read_canary, read_shadow

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_NO_GRPC = -1


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's flags."""
    add_common_flags(parser)
    add_target_flag(parser, "whose versions answer")
    parser.add_argument(
        "--host", default=_LOOPBACK[0], help="address to listen on (default: %(default)s)"
    )
    parser.add_argument(
        "--port", type=port_number, default=8501, help="of REST and the page (default: %(default)s)"
    )
    parser.add_argument(
        "--grpc-port",
        type=grpc_port_number,
        default=8500,
        help="of gRPC; 0: one that is free; -1: no gRPC (default: %(default)s)",
    )
    parser.add_argument(
        "--shadow",
        metavar="WHO",
        help="edge, previous or a version's number: is asked the same, for the log alone",
    )
    parser.add_argument(
        "--canary",
        metavar="VERSION:SHARE",
        help="a version that answers a share of the requests, e.g. 1795715046:0.1",
    )
    parser.add_argument(
        "--canary-key",
        metavar="NAME",
        help="column or header by whose value the canary's requests are told (the whole row)",
    )
    parser.set_defaults(verb=serve)


def port_number(text: str) -> int:
    """A port as it is typed.

    Raises:
      ValueError: It is none.
    """
    if not 0 <= int(text) < 2**16:
        raise ValueError
    return int(text)


def grpc_port_number(text: str) -> int:
    """A port as it is typed, or -1.

    Raises:
      ValueError: It is neither.
    """
    return _NO_GRPC if text == str(_NO_GRPC) else port_number(text)


def serve(options: argparse.Namespace, out: Console) -> int:
    """Serves until a signal."""
    config = load_config(options)
    host, folder = options.host, run_folder(options, config)
    shadow = read_shadow(options.shadow, options.target)
    if shadow is not None and not config.serving.log.sample:
        raise InputError("--shadow: its answers go to the log; set serving.log.sample above 0")
    canary = read_canary(options.canary, options.canary_key, config.columns.features)
    token = serving.read_token(config, os.environ)
    shown, grpc_address = f"[{host}]" if ":" in host else host, None
    if options.grpc_port != _NO_GRPC:
        grpc_address = f"{shown}:{serving.free_port(host, options.grpc_port)}"
    told = ServeOptions(config, folder, options.target, grpc_address, token, shadow, canary)
    version = serving.check_there_is_a_version(told)
    with serving.listen(host, options.port) as listener:
        address = f"http://{shown}:{listener.getsockname()[1]}"
        out.print(
            f"{options.target}: version {version} of {config.name} at {address} (page, REST, "
            f"/v2, /metrics, /openapi.json)"
            + (f", gRPC at {grpc_address}" if grpc_address else ""),
            soft_wrap=True,
        )
        if canary is not None:
            _tell_canary(canary, config, out)
        if token is None and host not in _LOOPBACK:
            warning = (
                f"anybody who reaches {host} is answered: serving.token_variable asks for a token"
            )
            out.print(f"[yellow]warning[/]: {escape(warning)}", soft_wrap=True)
        serving.serve(told, listener)
    return DONE


def _tell_canary(canary: CanaryName, config: Config, out: Console) -> None:
    key = "its first row"
    if canary.column is not None or canary.header is not None:
        key = f"column {canary.column}" if canary.column is not None else f"header {canary.header}"
    share = f"{canary.share:.2%} of the requests, told by {key}"
    out.print(escape(f"canary: version {canary.version} answers {share}"), soft_wrap=True)
    if not config.serving.log.sample:
        why = "serving.log.sample is 0, so `monitor` cannot compare the canary"
        out.print(f"[yellow]warning[/]: {escape(why)}", soft_wrap=True)
