"""Says what is wrong with the columns that a configuration names."""

import difflib
import keyword
import re
from collections.abc import Iterator
from pathlib import Path

from core.config import Config
from core.contract import read_contract
from core.sections.columns import TrueLabel
from core.targets import TARGETS
from models.columns.date_formats import date_column
from pipeline.config.overlay import KeyPath

Problem = tuple[KeyPath, str]
# Columns that nodes add to the rows.
RESERVED_FOR_LABEL = ("row_id", "weight")
RESERVED = (*RESERVED_FOR_LABEL, "label", "numeric", "categorical", "tokens")
MOST_CLASSES = 100  # votes and labels are 8-bit codes
GAP_BOUNDS = ("max_gap", "max_gap_growth")
COLUMN_KINDS = ("numeric", "categorical", "text", "dates")
# What tf.function takes as the name of an argument, and SavedModel gives back.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*", re.ASCII)
_NO_ARGUMENTS = (*keyword.kwlist, "self")


def _nearest(name: str, names: list[str]) -> str:
    close = difflib.get_close_matches(name, names, 1, 0)
    return f"; the nearest is '{close[0]}'" if close else ""


def check_columns(config: Config) -> Iterator[Problem]:
    """What is wrong with `columns`."""
    columns = config.columns
    yield from _check_classes(columns)
    listed = [columns.label, *(name for kind in COLUMN_KINDS for name in getattr(columns, kind))]
    if len(listed) == 1:
        yield (
            ("columns", "numeric"),
            f"name at least one column in {', '.join(COLUMN_KINDS)}",
        )
    for name in sorted({name for name in listed if listed.count(name) > 1}):
        for key in ("label", *COLUMN_KINDS):
            if name in getattr(columns, key):
                yield (
                    ("columns", key),
                    f"'{name}' is listed twice among label, {', '.join(COLUMN_KINDS)}",
                )
    if columns.label in RESERVED_FOR_LABEL:
        yield ("columns", "label"), f"'{columns.label}' is a name that the pipeline itself uses"
    yield from _check_names(config)
    for name, date in columns.dates.items():
        for key, written in (("timezone", ("%s", date.timezone)), ("format", (date.format, "UTC"))):
            try:
                date_column(name, *written)
            except ValueError as error:
                said = f"'{getattr(date, key)}': {error}" if key == "format" else str(error)
                yield ("columns", "dates", name, key), said
    for name, group in columns.groups.items():
        path = ("columns", "groups", name)
        if name in listed:
            yield path, f"'{name}' is already a column; give the group another name"
        if group.column not in columns.numeric:
            hint = _nearest(group.column, list(columns.numeric))
            yield (*path, "column"), f"'{group.column}' is not in columns.numeric{hint}"
        if any(a >= b for a, b in zip(group.bounds, group.bounds[1:], strict=False)):
            yield (*path, "bounds"), f"{list(group.bounds)} is not in ascending order"


def _check_classes(columns: TrueLabel) -> Iterator[Problem]:
    """Classes that are one in writing, and a detected class where none or another one is."""
    written: dict[str, str] = {}
    for name in columns.classes:
        other = written.setdefault(" ".join(name.split()).casefold(), name)
        if other != name or columns.classes.count(name) > 1:
            yield (
                ("columns", "classes"),
                f"'{other}' and '{name}' differ in capitals or blanks at most; make one of them",
            )
    if len(columns.classes) > MOST_CLASSES:
        yield (
            ("columns", "classes"),
            f"{len(columns.classes)} classes; at most {MOST_CLASSES} can be told apart: make some "
            "one class",
        )
    if not columns.is_binary and columns.positive is not None:
        yield (
            ("columns", "positive"),
            f"'{columns.positive}': there are {len(columns.classes)} classes, of which none is "
            "detected; drop the key (null), or name two classes",
        )
    elif columns.is_binary and columns.positive not in columns.classes:
        given = "missing" if columns.positive is None else f"'{columns.positive}' is no class"
        yield (
            ("columns", "positive"),
            f"{given}; give the one of columns.classes that is detected: "
            f"{' or '.join(columns.classes)}",
        )


def _check_names(config: Config) -> Iterator[Problem]:
    """Names that the pipeline or the arguments of the served model cannot take."""
    places: dict[str, KeyPath] = {}
    for number, names in enumerate(config.evaluation.slices):
        places |= dict.fromkeys(names, ("evaluation", "slices", str(number)))
    places |= {name: ("columns", "groups", name) for name in config.columns.groups}
    for key in COLUMN_KINDS:
        places |= dict.fromkeys(getattr(config.columns, key), ("columns", key))
    as_arguments: dict[str, str] = {}
    for name, path in places.items():
        if name in RESERVED:
            yield path, f"'{name}' is a name that the pipeline itself uses; rename the column"
        elif not _NAME.fullmatch(name) or name in _NO_ARGUMENTS:
            yield (
                path,
                f"'{name}' cannot be the name of a model's input; rename the column: a name is "
                "made of the letters a-z and A-Z, digits, '_', '-' and '.', starts with a letter "
                "or a digit and is no word of Python's own",
            )
        other = as_arguments.setdefault(re.sub("[-.]", "_", name).lower(), name)
        if other != name:
            yield (
                path,
                f"'{name}' and '{other}' would be the same input of a model, where '-', '.' and "
                "'_' are one, and so are small and capital letters; rename one of the columns",
            )


def _unlisted(config: Config, repository: Path) -> list[str]:
    """Columns of strings in the contract that are sliced on at most: no model learns from them."""
    path = repository / config.contract
    kinds = read_contract(path) if path.is_file() else {}
    others = {config.columns.label, *config.columns.text, *config.columns.dates}
    return [c for c, kind in kinds.items() if kind == "BYTES" and c not in others]


def check_features(config: Config) -> Iterator[Problem]:
    """More columns to keep than there are."""
    keep, count = config.features.keep, len(config.columns.features)
    if isinstance(keep, int) and keep > count:
        yield (
            ("features", "keep"),
            f"{keep}: there are {count} columns; give a smaller number, or null to keep all",
        )


def check_evaluation(config: Config, repository: Path) -> Iterator[Problem]:
    """What is wrong with the columns that `evaluation` names."""
    columns = config.columns
    known = [*columns.categorical, *columns.groups]
    if not {name for names in config.evaluation.slices for name in names} <= {*known}:
        known += _unlisted(config, repository)
    for number, names in enumerate(config.evaluation.slices):
        for name in names:
            path = ("evaluation", "slices", str(number))
            if name in columns.numeric:
                yield path, f"'{name}' holds numbers; make a group of it (columns.groups)"
            elif name in columns.text:
                yield path, f"'{name}' is text; slice by a column derived from it, e.g. its length"
            elif name in columns.dates:
                yield path, f"'{name}' is a date; slice by a column derived from it, e.g. its year"
            elif name not in known:
                yield (
                    path,
                    f"'{name}' is neither a column of text nor a group{_nearest(name, known)}",
                )
        if len(set(names)) < len(names):
            yield ("evaluation", "slices", str(number)), f"{list(names)} names a column twice"
    single = [names[0] for names in config.evaluation.slices if len(names) == 1]
    for target in TARGETS:
        if not config.evaluation.bounds_of(target).min:
            yield (
                ("evaluation", target, "min"),
                "name at least one bound, e.g. {auc: 0.8}: without one no model is blessed",
            )
        for key in GAP_BOUNDS:
            for name in getattr(config.evaluation.bounds_of(target), key):
                if name not in single:
                    add = f"add [{name}] to evaluation.slices, or drop the bound"
                    yield ("evaluation", target, key, name), f"{add}{_nearest(name, single)}"


def check_explain(config: Config, repository: Path) -> Iterator[Problem]:
    """What is wrong with the columns that counterfactuals may change.

    One that the contract has and no model learns from is left out; it may have been taken out for
    one run.
    """
    columns, path = config.columns, ("explain", "actionable")
    contract = repository / config.contract
    in_contract = read_contract(contract) if contract.is_file() else {}
    known = [*columns.numeric, *columns.categorical]
    named = config.explain.actionable
    for name in dict.fromkeys(named):
        if name in columns.text or name in columns.dates:
            kind = "text" if name in columns.text else "a date"
            yield path, f"'{name}' is {kind}; only numbers and categories can be changed"
        elif name in columns.groups:
            made = columns.groups[name].column
            yield path, f"'{name}' is made from '{made}'; name that one"
        elif name == columns.label:
            yield path, f"'{name}' is the label"
        elif name not in (*known, *in_contract):
            yield path, f"'{name}' is no column{_nearest(name, known)}"
        if named.count(name) > 1:
            yield path, f"'{name}' is listed twice"
