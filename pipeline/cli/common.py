"""What the verbs of the command line share: flags, exit codes, the run folder.

`pipeline/cli/main.py` lists the verbs. Each has a function that adds its flags to a parser and sets
the function that runs it, in a module of this package that is imported when the verb is typed.
"""

import argparse
import shlex
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from core.config import Config
from core.files import REPOSITORY
from core.targets import SERVER, TARGETS
from pipeline.config.load import load
from pipeline.report import summary
from pipeline.report.markup import escape

DONE, FAILED, BAD_INPUT, NOT_BLESSED, SIGNALLED = 0, 1, 2, 3, 128
Verb = Callable[[argparse.Namespace, Console], int]


def add_common_flags(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of every verb that reads a configuration."""
    parser.add_argument(
        "--config",
        default="census",
        metavar="NAME_OR_PATH",
        help="a file of configs/ or a path (default: %(default)s)",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        dest="overrides",
        metavar="KEY.PATH=VALUE",
        help="changes one value of the configuration; may be given more than once",
    )
    parser.add_argument(
        "--smoke",
        action="store_true",
        help="smaller numbers on top (configs/overlays/smoke.yaml); runs are those of NAME-smoke",
    )
    parser.add_argument(
        "--root",
        default=str(REPOSITORY / "runs"),
        metavar="DIR",
        help="folder of all runs (default: runs/ in the repository)",
    )


def add_target_flag(parser: argparse.ArgumentParser, what: str) -> None:
    """Adds `--target`; `what` says what of the target is meant."""
    parser.add_argument(
        "--target",
        choices=tuple(TARGETS),
        default=SERVER.name,
        help=f"{what} (default: %(default)s)",
    )


def add_version_flags(parser: argparse.ArgumentParser) -> None:
    """Adds `--target` and `--version`: who answers."""
    add_target_flag(parser, "whose version answers")
    parser.add_argument("--version", type=int, metavar="N", help="of the target (the live one)")


def given_flags(options: argparse.Namespace) -> list[str]:
    """The flags of every verb as they were given, for another process; the root absolute."""
    return [
        f"--config={options.config}",
        *(f"--set={override}" for override in options.overrides),
        *(["--smoke"] if options.smoke else []),
        f"--root={Path(options.root).resolve()}",
    ]


def follow_up(options: argparse.Namespace, *words: str) -> str:
    """What to type next to go on with the same data: the flags that were given are in it."""
    parser = argparse.ArgumentParser()
    add_common_flags(parser)
    usual = parser.parse_args([])
    flags = [
        *(["--config", options.config] if options.config != usual.config else []),
        *(part for override in options.overrides for part in ("--set", override)),
        *(["--smoke"] if options.smoke else []),
        *(["--root", options.root] if options.root != usual.root else []),
    ]
    return shlex.join(["python", "-m", "pipeline", *words, *flags])


def load_config(options: argparse.Namespace) -> Config:
    """The configuration that the flags name."""
    return load(options.config, options.overrides, options.smoke)


def run_folder(options: argparse.Namespace, config: Config) -> Path:
    """<root>/<name>, absolute."""
    return (Path(options.root) / config.name).resolve()


def print_page(out: Console, folder: Path, run_id: str) -> None:
    """Says where the page of a run lies, if it does.

    Args:
        out: where to.
        folder: <root>/<name>.
        run_id: the run.
    """
    page = summary.page_of(folder, run_id)
    if page.is_file():
        out.print(f"report: {escape(str(page))}", soft_wrap=True)
