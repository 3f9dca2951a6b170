"""`labels import`, `list`, `remove`: answers that people gave; `labels outcomes`: of requests."""

import argparse
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from pipeline.cli.common import DONE, add_common_flags, follow_up, load_config, run_folder
from pipeline.labels import answers
from pipeline.labels.importing import import_file
from pipeline.labels.to_label import allowed_answers
from pipeline.monitoring import outcomes
from pipeline.report.markup import escape


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's actions."""
    actions = parser.add_subparsers(title="actions", required=True, metavar="action")
    new = actions.add_parser("import", help="take a filled-in file of to-label")
    known = actions.add_parser("list", help="the imports there were")
    old = actions.add_parser("remove", help="take an import out of use")
    later = actions.add_parser("outcomes", help="take true labels of requests")
    for action in (new, known, old, later):
        add_common_flags(action)
    new.add_argument("file", metavar="FILE")
    new.add_argument("--annotator", metavar="NAME", help="who answered, where the column is empty")
    new.set_defaults(verb=import_)
    known.set_defaults(verb=list_)
    old.add_argument("id", metavar="IMPORT")
    old.set_defaults(verb=remove)
    later.add_argument("file", metavar="FILE", help="CSV: request, label and, where needed, row")
    later.set_defaults(verb=outcomes_)


def import_(options: argparse.Namespace, out: Console) -> int:
    """Imports a file of answers."""
    config = load_config(options)
    folder = run_folder(options, config)
    now = datetime.now(UTC).replace(microsecond=0)
    done = import_file(config, folder, Path(options.file), options.annotator, now)
    if done.new is None:
        out.print(escape(f"{options.file}: imported before, as {done.known}; nothing to do"))
        return DONE
    given = done.new.answers
    counts = Counter(answer.answer for answer in given)
    by_class = [
        f"{counts[name]} {name}"
        for name in allowed_answers(config)
        if counts[name] or config.columns.is_binary
    ]
    random = sum(answer.selection == "random" for answer in given)
    lines = [
        f"{len(given)} answers ({', '.join(by_class)}; {random} random, {len(given) - random} "
        f"informative) imported as {done.new.id}",
        f"  {done.skipped} rows were left empty; {done.twice} were answered by several people, "
        "who agree",
        f"  the next run trains on them; to undo: "
        f"{follow_up(options, 'labels', 'remove', done.new.id)}",
    ]
    for line in lines:
        out.print(escape(line), soft_wrap=True)
    return DONE


def list_(options: argparse.Namespace, out: Console) -> int:
    """Lists the imports, the oldest first."""
    config = load_config(options)
    folder = answers.folder_of(config, run_folder(options, config))
    table = Table(box=SIMPLE_HEAD, padding=0)
    for column in ("import", "answers", "random", "annotators", "file"):
        table.add_column(column, overflow="fold")
    imports = answers.read_all(folder)
    for one in imports:
        random = sum(answer.selection == "random" for answer in one.answers)
        people = sorted({name for answer in one.answers for name in answer.annotators})
        cells = (one.id, str(len(one.answers)), str(random), ", ".join(people), one.file)
        table.add_row(*map(escape, cells))
    out.print(table if imports else escape(f"no answers in {folder} yet"))
    return DONE


def remove(options: argparse.Namespace, out: Console) -> int:
    """Takes an import out of use; its file is kept under another name."""
    config = load_config(options)
    path = answers.remove(options.id, answers.folder_of(config, run_folder(options, config)))
    out.print(escape(f"{options.id} is out of use; kept as {path}"), soft_wrap=True)
    return DONE


def outcomes_(options: argparse.Namespace, out: Console) -> int:
    """Takes true labels of requests that came later."""
    config = load_config(options)
    now = datetime.now(UTC).replace(microsecond=0)
    path = Path(options.file)
    done = outcomes.import_file(config, run_folder(options, config), path, now)
    if done.known:
        out.print(escape(f"{options.file}: imported before, as {done.id}; nothing to do"))
        return DONE
    told = f"true labels of {done.taken} rows imported as {done.id}"
    more = {"left empty": done.skipped, "of requests that the log does not have": done.unlogged,
            "correct an earlier import": done.corrected}  # fmt: skip
    told += "".join(f"; {count} {what}" for what, count in more.items() if count)
    out.print(escape(told), soft_wrap=True)
    out.print(escape(f"  they are measured on by: {follow_up(options, 'monitor')}"), soft_wrap=True)
    return DONE
