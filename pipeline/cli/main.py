"""The command line: `python -m pipeline <verb>`.

Exit codes: 0 done (a model that was not blessed is a result), 1 failed, 2 configuration, data or
disk at fault, 3 not blessed under --require-blessing or retrain blocked, 128 + n interrupted by
signal n.
"""

import argparse
import pkgutil
import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from core.errors import InputError
from core.files import REPOSITORY
from core.lock import LockHeldError
from pipeline.cli.common import BAD_INPUT, FAILED, SIGNALLED, Verb
from pipeline.report.display import make_console
from pipeline.report.markup import escape
from pipeline.run.environment import collect_rarely
from pipeline.run.failures import explain, is_disk_full
from pipeline.run.scratch import own_temporary_folder

if TYPE_CHECKING:
    from pipeline.run.run import Builder

# For each verb the function of pipeline.cli that adds its flags, and what `--help` says of it.
VERBS = {
    "run": ("run:add", "run the DAG once"),
    "schedule": ("schedule:add", "retrain on a cron expression"),
    "runs": ("history:add_runs", "list the runs"),
    "show": ("history:add_show", "one run's nodes, gates and models"),
    "report": ("review.report:add", "the page of a run: index.html beside its summary"),
    "why": ("review.why:add", "why a version was pushed, or a model was not"),
    "card": ("review.card:add", "model card and data card of a version; --verify FILE"),
    "lf": ("lf:add", "judge the labelling functions"),
    "to-label": ("to_label:add", "rows that people should label"),
    "labels": ("labels:add", "answers of people: import, list, remove; outcomes of requests"),
    "models": ("models:add_models", "list the model versions"),
    "monitor": ("served.monitor:add", "how the live version does on its requests"),
    "predict": ("served.predict:add", "answer a file of rows with what was pushed"),
    "export": ("served.export:add", "an edge version as Python, a web page or a C99 file"),
    "explain": ("review.explain:add", "what an answer rests on, and what would change it"),
    "serve": ("serve:add", "answer over the network with what was pushed"),
    "rollback": ("models:add_rollback", "make an older version live, or one rolled back before"),
    "lineage": ("lineage:add", "what a model was made of; what a span went into"),
    "rebase": ("rebase:add", "take a folder of runs for where it is, after it was moved"),
    "gc": ("gc:add", "remove the files of old runs"),
    "retrain": ("retrain:add", "run the DAG if there is reason"),
    "init": ("init:add", "describe your own data from a CSV file"),
}


class VerbParser(argparse.ArgumentParser):
    """A verb's parser; the verb's module is imported when it is typed, so that no other is."""

    flags: str | None = None

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse's, with the verb's flags added before the first time."""
        if self.flags is not None:
            add, self.flags = pkgutil.resolve_name(f"pipeline.cli.{self.flags}"), None
            add(self)
        return super().parse_known_args(args, namespace)


def main(arguments: Sequence[str] | None = None, build: "Builder | None" = None) -> int:
    """Parses the command line, runs the verb, returns the exit code.

    Args:
        arguments: what was typed after `python -m pipeline`.
        build: makes the pipeline that `run` runs; the DAG unless another is given.
    """
    collect_rarely()
    options = make_parser().parse_args(arguments)
    options.command, options.build = _command(arguments), build
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        verb: Verb = options.verb
        with own_temporary_folder():
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
    except Exception as error:
        if not isinstance(error, OSError) and not is_disk_full(error):  # as SQLite says it
            raise
        failure = explain(error, Path(options.root), options.command)
        errors.print(f"[bold red]error[/]: {escape(failure.cause)}; {escape(failure.resume)}")
        return failure.exit_code


def make_parser() -> argparse.ArgumentParser:
    """The parser of all verbs."""
    parser = argparse.ArgumentParser(prog="python -m pipeline", description=__doc__)
    verbs = parser.add_subparsers(
        title="verbs", required=True, metavar="verb", parser_class=VerbParser
    )
    for name, (flags, what) in VERBS.items():
        verbs.add_parser(name, help=what).flags = flags
    return parser


def _command(arguments: Sequence[str] | None) -> str:
    """What to type to do the same again, with the interpreter that runs now."""
    typed = sys.argv[1:] if arguments is None else arguments
    interpreter = Path(sys.executable)
    if interpreter.is_relative_to(REPOSITORY):
        interpreter = interpreter.relative_to(REPOSITORY)
    return shlex.join([str(interpreter), "-m", "pipeline", *typed])
