"""`why`: why a version was pushed, or a model was not, gate by gate."""

import argparse
import copy
import dataclasses
import json
import shlex
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from core.errors import InputError
from core.targets import TARGETS
from pipeline.cli.common import DONE, add_common_flags, follow_up, load_config, run_folder
from pipeline.cli.lineage import RUN_ID
from pipeline.metadata import lineage
from pipeline.metadata.graph import read_graph
from pipeline.metadata.seal import no_store
from pipeline.metadata.store import open_store
from pipeline.report.history import read_run
from pipeline.report.markup import escape
from pipeline.report.why import WhyPushed, explain, targets_of
from pipeline.versions.served import Version, versions


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's flags."""
    add_common_flags(parser)
    parser.add_argument(
        "target",
        nargs="?",
        metavar="TARGET",
        help=f"{' or '.join(TARGETS)} (default: each); or the id of a run",
    )
    parser.add_argument(
        "of",
        nargs="?",
        metavar="VERSION|RUN",
        help="a version of the target, or the id of a run (default: the last run)",
    )
    parser.add_argument("--all", action="store_true", help="each bound that was kept, too")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(verb=why)


def why(options: argparse.Namespace, out: Console) -> int:
    """Explains one run or version."""
    config = load_config(options)
    folder = run_folder(options, config)
    target, of = options.target, options.of
    if target is not None and of is None and RUN_ID.fullmatch(target):
        target, of = None, target
    if target is not None and target not in TARGETS:
        raise InputError(
            f"'{target}' is neither a target ({', '.join(TARGETS)}) nor the id of a run; "
            "`runs` lists them"
        )
    run_id = None if of is None else _run_of(folder, config.name, target, of)
    summary = read_run(folder, run_id)
    known = {t: versions(folder, config.name, t) for t in targets_of(summary, target)}
    found = [explain(summary, t, known[t], options.all) for t in known]
    if options.json:
        print(json.dumps([_values(each) for each in found], indent=2))
        return DONE
    alike = summary.config_sha256 == config.config_sha256
    for each in found:
        _print(out, each, partial(_again, options, alike))
    return DONE


def _run_of(folder: Path, name: str, target: str | None, of: str) -> str:
    """The run that is meant, or the one that pushed a version.

    Raises:
        InputError: there is no such version, or nothing says which run pushed it.
    """
    if RUN_ID.fullmatch(of):
        return of
    if target is None or not of.isdecimal():
        raise InputError(
            f"'{of}' is neither a version nor the id of a run; `models` and `runs` list them"
        )
    here = versions(folder, name, target)
    version = next((v for v in here if v.version == int(of)), None)
    if version is None:
        numbers = ", ".join(str(v.version) for v in here) or "none"
        raise InputError(f"{target} has no version {of} under {folder}; there are: {numbers}")
    return version.run_id or _from_metadata(folder, version)


def _from_metadata(folder: Path, version: Version) -> str:
    """The run of a version that has no record, as ML Metadata has it."""
    if (store := open_store(folder)) is None:
        raise no_store(folder)
    found = lineage.of_version(read_graph(store), folder, version.target, version.version)
    return found.model.run_id


def _print(out: Console, found: WhyPushed, again: Callable[[list[str]], str]) -> None:
    head = f"{found.target} of run {found.run_id}: "
    style = "green" if found.outcome.startswith(("pushed", "the same")) else "yellow"
    out.print(f"{escape(head)}[{style}]{escape(found.outcome)}[/]", soft_wrap=True)
    for line in found.told:
        out.print(f"  {escape(line)}", soft_wrap=True)
    for title, style, reasons in (
        ("not kept to", "bold red", found.failed),
        ("undecided, and let pass", "yellow", found.undecided),
        ("kept to", "green", found.kept),
    ):
        if reasons:
            out.print(f"[{style}]{title}[/]:")
        for reason in reasons:
            out.print(f"  {escape(reason.words)}", soft_wrap=True)
    if found.changes:
        out.print("what would have to change:")
    for change in found.changes:
        said = [f"--set {change.flag}" if change.flag else "", change.words or ""]
        out.print(f"  {escape('; or: '.join(filter(None, said)))}", soft_wrap=True)
    flags = [change.flag for change in found.changes if change.flag is not None]
    if flags and len(flags) == len(found.changes):
        out.print(f"to push it all the same: {escape(again(flags))}", soft_wrap=True)


def _again(options: argparse.Namespace, alike: bool, flags: list[str]) -> str:
    """How to run again with other bounds.

    Args:
        options: what was typed.
        alike: whether the run had the configuration that the options name.
        flags: `key=value` of each bound.
    """
    if not alike:
        sets = shlex.join(part for flag in flags for part in ("--set", flag))
        return f"run again as that run was started, with {sets}"
    wider = copy.copy(options)
    wider.overrides = [*options.overrides, *flags]
    return follow_up(wider, "run")


def _values(found: WhyPushed) -> dict[str, Any]:
    values = dataclasses.asdict(found)
    flags = [change.flag for change in found.changes]
    return {**values, "set": [flag for flag in flags if flag is not None]}
