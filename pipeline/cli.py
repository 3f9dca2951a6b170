"""The command line: `python -m pipeline <verb>`.

Exit codes: 0 done (a model that was not blessed is a result), 1 failed, 2 configuration, data or
disk at fault, 3 not blessed under --require-blessing, 128 + n interrupted by signal n.
"""

import argparse
import json
import shlex
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from models.errors import InputError
from pipeline.config import REPOSITORY, load
from pipeline.display import RunDisplay, make_console, print_failure, print_results
from pipeline.failures import explain
from pipeline.lock import LockHeldError

if TYPE_CHECKING:
    from pipeline.run import Builder

DONE, FAILED, BAD_INPUT, NOT_BLESSED, SIGNALLED = 0, 1, 2, 3, 128
Verb = Callable[[argparse.Namespace, Console], int]


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
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--config",
        default="census",
        metavar="NAME_OR_PATH",
        help="a file of configs/ or a path (default: %(default)s)",
    )
    common.add_argument(
        "--set",
        action="append",
        default=[],
        dest="overrides",
        metavar="KEY.PATH=VALUE",
        help="changes one value of the configuration; may be given more than once",
    )
    common.add_argument(
        "--root",
        default=str(REPOSITORY / "runs"),
        metavar="DIR",
        help="folder of all runs (default: runs/ in the repository)",
    )
    run = verbs.add_parser("run", parents=[common], help="run the DAG once")
    run.add_argument(
        "--require-blessing",
        action="store_true",
        help=f"exit with {NOT_BLESSED} when a target was not blessed",
    )
    run.set_defaults(verb=run_verb)
    runs = verbs.add_parser("runs", parents=[common], help="list the runs")
    runs.add_argument("--json", action="store_true", help="print JSON")
    runs.set_defaults(verb=runs_verb)
    show = verbs.add_parser("show", parents=[common], help="one run's nodes, gates and models")
    show.add_argument("run", nargs="?", metavar="RUN", help="id of the run (default: the last)")
    show.add_argument("--json", action="store_true", help="print summary.json")
    show.set_defaults(verb=show_verb)
    lf = verbs.add_parser("lf", parents=[common], help="judge the labelling functions")
    lf.add_argument("--json", action="store_true", help="print JSON")
    lf.add_argument("--html", metavar="FILE", help="also write a page")
    lf.set_defaults(verb=lf_verb)
    return parser


def _command(arguments: Sequence[str] | None) -> str:
    """What to type to do the same again, with the interpreter that runs now."""
    typed = sys.argv[1:] if arguments is None else arguments
    interpreter = Path(sys.executable)
    if interpreter.is_relative_to(REPOSITORY):
        interpreter = interpreter.relative_to(REPOSITORY)
    return shlex.join([str(interpreter), "-m", "pipeline", *typed])


def run_verb(options: argparse.Namespace, out: Console) -> int:
    """Runs the DAG once."""
    config = load(options.config, options.overrides)
    from pipeline.run import Request, build_dag, execute

    request = Request(Path(options.config).stem, config, Path(options.root), options.command)
    with RunDisplay(out) as display:
        build = options.build or build_dag
        outcome = execute(request, build, display.on_event, display.tell)
    if outcome.summary.failure:
        print_failure(out, outcome.summary.failure)
    print_results(out, outcome.summary)
    if outcome.failure:
        return outcome.failure.exit_code
    if outcome.signal is not None:
        again = f"interrupted; to go on, run the same command again: {options.command}"
        out.print(escape(again), soft_wrap=True)
        return SIGNALLED + outcome.signal
    blessed = all(pushed.version is not None for pushed in outcome.summary.pushed.values())
    return DONE if blessed or not options.require_blessing else NOT_BLESSED


def _folder(options: argparse.Namespace) -> Path:
    name = load(options.config, options.overrides).name
    return (Path(options.root) / name).resolve()


def runs_verb(options: argparse.Namespace, out: Console) -> int:
    """Lists the runs, the newest first."""
    from pipeline.history import list_runs, runs_table

    rows = list_runs(_folder(options))
    if options.json:
        print(json.dumps([row.model_dump(mode="json") for row in rows], indent=2))
    elif rows:
        out.print(runs_table(rows))
    else:
        out.print(f"no runs under {escape(str(_folder(options)))} yet")
    return DONE


def show_verb(options: argparse.Namespace, out: Console) -> int:
    """Shows one run."""
    from pipeline.display import print_node
    from pipeline.history import read_run

    summary = read_run(_folder(options), options.run)
    if options.json:
        print(summary.model_dump_json(indent=2))
        return DONE
    for node, ended in summary.nodes.items():
        print_node(out, node, ended.state, ended.seconds)
    if summary.failure:
        print_failure(out, summary.failure)
    print_results(out, summary)
    return DONE


def lf_verb(options: argparse.Namespace, out: Console) -> int:
    """Judges the labelling functions on the gold rows and the unlabelled ones."""
    config = load(options.config, options.overrides)
    with Console(stderr=True).status("applying the labelling functions"):
        from pipeline import lf, lf_display, lf_state

        folder = (Path(options.root) / config.name).resolve()
        analysis = lf.analyse(config, folder, datetime.now(UTC))
        analysis = lf_state.with_changes(analysis, lf_state.last(folder))
    if options.json:
        print(analysis.report.model_dump_json(indent=2))
    else:
        lf_display.print_report(out, analysis.report)
    if options.html:
        from pipeline import lf_page

        lf_page.write(analysis.report, Path(options.html))
        Console(stderr=True, soft_wrap=True).print(f"page: {escape(options.html)}")
    lf_state.remember(analysis, folder)
    return DONE
