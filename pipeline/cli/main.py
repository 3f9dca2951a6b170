"""The command line: `python -m pipeline <verb>`.

Exit codes: 0 done (a model that was not blessed is a result), 1 failed, 2 configuration, data or
disk at fault, 3 not blessed under --require-blessing or retrain blocked, 128 + n interrupted by
signal n.
"""

import argparse
import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from core.errors import InputError
from core.files import REPOSITORY
from core.lock import LockHeldError
from pipeline.cli import (
    gc,
    history,
    init,
    labels,
    lf,
    lineage,
    retrain,
    run,
    schedule,
    to_label,
    versions,
)
from pipeline.cli.common import BAD_INPUT, FAILED, SIGNALLED, Verb, common_flags
from pipeline.report.display import make_console
from pipeline.run.failures import explain

if TYPE_CHECKING:
    from pipeline.run.run import Builder

VERBS = (run, schedule, history, lf, to_label, labels, versions, lineage, gc, retrain, init)


def main(arguments: Sequence[str] | None = None, build: "Builder | None" = None) -> int:
    """Parses the command line, runs the verb, returns the exit code.

    Args:
        arguments: what was typed after `python -m pipeline`.
        build: makes the pipeline that `run` runs; the DAG unless another is given.
    """
    options = make_parser().parse_args(arguments)
    options.command, options.build = _command(arguments), build
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        verb: Verb = options.verb
        return verb(options, make_console())
    except InputError as error:
        errors.print(f"[bold red]error[/]: {escape(str(error))}")
        return BAD_INPUT
    except LockHeldError as error:
        errors.print(f"[bold red]error[/]: {escape(str(error))}")
        return FAILED
    except KeyboardInterrupt as error:
        return SIGNALLED + int(getattr(error, "number", signal.SIGINT))
    except BrokenPipeError:
        sys.stderr.close()
        return FAILED
    except OSError as error:
        failure = explain(error, Path(options.root), options.command)
        errors.print(f"[bold red]error[/]: {escape(failure.cause)}; {escape(failure.resume)}")
        return failure.exit_code


def make_parser() -> argparse.ArgumentParser:
    """The parser of all verbs."""
    parser = argparse.ArgumentParser(prog="python -m pipeline", description=__doc__)
    verbs = parser.add_subparsers(title="verbs", required=True, metavar="verb")
    for verb in VERBS:
        verb.add(verbs, common_flags())
    return parser


def _command(arguments: Sequence[str] | None) -> str:
    """What to type to do the same again, with the interpreter that runs now."""
    typed = sys.argv[1:] if arguments is None else arguments
    interpreter = Path(sys.executable)
    if interpreter.is_relative_to(REPOSITORY):
        interpreter = interpreter.relative_to(REPOSITORY)
    return shlex.join([str(interpreter), "-m", "pipeline", *typed])
