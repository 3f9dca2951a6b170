"""The groups of a run's slices, as the pictures show them."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from models.metrics.evidence import SliceEvidence
from models.metrics.registry import EXAMPLES
from pipeline.report.page.part import RunRecord
from pipeline.report.summary import MeasuredModel

FEW = 10
"""Rows: of a smaller group nothing is shown, it would tell of single rows."""

MOST = 24
"""Groups of a column that are shown, the largest ones."""


@dataclass(frozen=True)
class SliceGroup:
    """A slice: its name in reports, its values in words, its rows, and whether gates look at it."""

    name: str
    label: str
    rows: int
    gated: bool


@dataclass(frozen=True)
class SliceGroups:
    """What a column, or several together, slice into.

    Attributes:
      columns: Their names.
      shown: Groups in the order of their values.
      small: How many groups of fewer than FEW rows there are besides.
      left_out: How many larger ones are not among the largest.
      complete: Whether all that gates look at are shown.
    """

    columns: tuple[str, ...]
    shown: tuple[SliceGroup, ...]
    small: int
    left_out: int
    complete: bool = True

    @property
    def title(self) -> str:
        """`sex`, or `sex and race`."""
        return " and ".join(self.columns)

    @property
    def key(self) -> str:
        """As reports name the columns: `sex,race`."""
        return ",".join(self.columns)

    @property
    def said(self) -> str | None:
        """What is not shown, in a sentence."""
        told = []
        if self.small:
            told.append(f"{self.small} of fewer than {FEW} rows")
        if self.left_out:
            told.append(f"{self.left_out} smaller ones")
        return f"Not shown: {' and '.join(told)}." if told else None


def groups_of_run(models: Iterable[MeasuredModel], record: RunRecord) -> list[SliceGroups]:
    """The groups that models were measured on, by the columns that are sliced by.

    Columns alone come before several together. All models are measured on the same rows.
    """
    measured = list(models)
    rows: dict[str, int] = {}
    for model in measured:
        rows |= {name: int(row.get(EXAMPLES) or 0) for name, row in model.slices.items()}
    keys = _keys(measured, record)
    by_columns: dict[tuple[str, ...], list[SliceGroup]] = {}
    least = min_slice_rows(record)
    for name, count in rows.items():
        columns, values = parse(name, keys)
        label = ", ".join(value or "(empty)" for value in values)
        group = SliceGroup(name, label, count, count >= (least or 0))
        by_columns.setdefault(columns, []).append(group)
    return [
        _shown(columns, found)
        for columns, found in sorted(by_columns.items(), key=lambda found: len(found[0]))
    ]


def _shown(columns: tuple[str, ...], found: Sequence[SliceGroup]) -> SliceGroups:
    there = [group for group in found if group.rows >= FEW]
    kept = sorted(there, key=lambda group: -group.rows)[:MOST]
    ordered = sorted(kept, key=lambda group: _in_order(group.label))
    complete = all(group in kept for group in found if group.gated)
    small, left_out = len(found) - len(there), len(there) - len(kept)
    return SliceGroups(columns, tuple(ordered), small, left_out, complete)


def _in_order(label: str) -> tuple[bool, str]:
    """`<25` comes before `25-34`."""
    return not label.startswith("<"), label


def _keys(models: Sequence[MeasuredModel], record: RunRecord) -> list[tuple[str, ...]]:
    """Lists of columns that are sliced by, the longest first."""
    rules = rules_of(record)
    keys = [tuple(columns) for columns in rules.slices] if rules else []
    single = dict.fromkeys((column,) for model in models for column in model.gaps)
    if not rules:  # several columns that are also sliced by alone
        told = [parse(name)[0] for model in models for name in model.slices]
        keys = [columns for columns in told if all((column,) in single for column in columns)]
    return sorted(dict.fromkeys([*keys, *single]), key=lambda columns: -len(columns))


def parse(name: str, keys: Iterable[tuple[str, ...]] = ()) -> tuple[tuple[str, ...], list[str]]:
    """Columns and values in the name of a slice, `sex=Female,race=White`.

    Args:
      name: The name.
      keys: Lists of columns that are sliced by, the longest first: values may hold any sign.
    """
    for columns in keys:
        pattern = ",".join(f"{re.escape(column)}=(.*)" for column in columns)
        if found := re.fullmatch(pattern, name, re.DOTALL):
            return columns, list(found.groups())
    pairs = [part.partition("=") for part in name.split(",")]
    return tuple(pair[0] for pair in pairs), [pair[2] for pair in pairs]


def same(name: str) -> tuple[str, ...]:
    """A slice's name in whatever order its columns are told."""
    return tuple(sorted(name.split(",")))


@dataclass(frozen=True)
class Rules:
    """What a run says of groups and of few rows; the keys are those of `evaluation`."""

    slices: Sequence[Sequence[str]]
    min_slice_rows: int
    few_rows: int
    when_too_few: str


def rules_of(record: RunRecord) -> Rules | None:
    """The rules of a run, whatever code wrote its configuration; None where they are not kept."""
    if record.config is not None:
        known = record.config.evaluation
        return Rules(known.slices, known.min_slice_rows, known.few_rows, known.when_too_few)
    told: Any = (record.settings or {}).get("evaluation")
    try:
        return Rules(**{field.name: told[field.name] for field in fields(Rules)})
    except (KeyError, TypeError):
        return None


def min_slice_rows(record: RunRecord) -> int | None:
    """Rows that a slice needs to be gated; None where that is not known."""
    rules = rules_of(record)
    return None if rules is None else rules.min_slice_rows


def figure(
    model: MeasuredModel, name: str, metric: str
) -> tuple[float | None, tuple[float, float] | None]:
    """A metric of a slice and its 95% interval."""
    value = model.slices.get(name, {}).get(metric)
    seen: SliceEvidence | None = model.evidence.get(name)
    return value, seen.intervals.get(metric) if seen else None


def labels_of(groups: Iterable[SliceGroup]) -> dict[str, str]:
    """What groups are called in a picture, by their names: no two alike."""
    found = list(groups)
    seen = Counter(group.label for group in found)
    return {
        group.name: f"{group.label if seen[group.label] == 1 else group.name} ({group.rows:,})"
        for group in found
    }


def points(
    models: Mapping[str, MeasuredModel], groups: SliceGroups, metric: str
) -> Iterator[dict[str, Any]]:
    """A point for each group and target that has a value."""
    called = labels_of(groups.shown)
    for group in groups.shown:
        for target, model in models.items():
            value, ends = figure(model, group.name, metric)
            if value is not None:
                low, high = ends or (value, value)
                yield {
                    "group": called[group.name],
                    "target": target,
                    "value": value,
                    "low": low,
                    "high": high,
                    "few": not group.gated,
                }
