"""Says what is wrong with `fairness`."""

import difflib
from collections.abc import Iterator
from pathlib import Path

from core.config import Config
from core.contract import read_schema
from pipeline.config.overlay import KeyPath

Problem = tuple[KeyPath, str]
_GOLD_WEIGHT = 1.0  # the most that a row without a true label weighs


def check_fairness(config: Config, repository: Path) -> Iterator[Problem]:
    """Columns that are not there, and mitigations that this configuration does not allow."""
    told = config.fairness
    if told.mitigation == "none" and told.reads_column:
        return
    single = _slices(config)
    if told.column is None:
        asked = "reads_column=false" if told.mitigation == "none" else told.mitigation
        listed = f": {' or '.join(single)}" if single else "; add one to evaluation.slices"
        yield (
            ("fairness", "column"),
            f"{asked} needs the column whose values are the groups{listed}",
        )
        return
    yield from _column(config)
    if not config.columns.is_binary and told.mitigation in ("min_diff", "thresholds"):
        yield (
            ("fairness", "mitigation"),
            f"{told.mitigation} is for two classes, and there are {len(config.columns.classes)}; "
            "reweighing and fairness.reads_column=false are for any number",
        )
    if told.mitigation == "min_diff" and told.loss == "mmd" and told.strength == "auto":
        yield (
            ("fairness", "strength"),
            "auto is for loss=rate, whose gap says when it is enough; give mmd a number, e.g. 1",
        )
    if told.mitigation == "thresholds":
        yield from _check_thresholds(config, repository)


def _check_thresholds(config: Config, repository: Path) -> Iterator[Problem]:
    """A model needs to read the group, and true labels have to be told from others."""
    told = config.fairness
    if not told.reads_column:
        yield (
            ("fairness", "reads_column"),
            "thresholds by group need the group: set it to true, or take min_diff, which does not",
        )
    listed = _listed(config, repository)
    if listed is not None and told.column not in listed:
        yield (
            ("fairness", "column"),
            f"'{told.column}': thresholds are for columns of columns.categorical whose values the "
            f"contract lists: {', '.join(listed) or 'there are none'}; or take min_diff",
        )
    if config.labeling.mode == "weak" and config.labeling.gold_weight <= _GOLD_WEIGHT:
        yield (
            ("labeling", "gold_weight"),
            f"{config.labeling.gold_weight:g}: thresholds are found on gold rows, which are known "
            "by a weight above 1 (other rows weigh at most that much); raise it",
        )


def _listed(config: Config, repository: Path) -> list[str] | None:
    """Categorical columns that have a domain; None without a contract, which is said elsewhere."""
    path = repository / config.contract
    if not path.is_file():
        return None
    schema = read_schema(path)
    named = {domain.name for domain in schema.string_domain}
    with_domain = {
        f.name
        for f in schema.feature
        if f.HasField("string_domain") or (f.HasField("domain") and f.domain in named)
    }
    return [column for column in config.columns.categorical if column in with_domain]


def check_labels_by_group(config: Config) -> Iterator[Problem]:
    """Labels that cannot be made alike, and columns that are not there."""
    told, key = config.fairness, ("fairness", "labels")
    if told.labels == "none":
        return
    if config.labeling.mode == "gold":
        yield (
            key,
            f"{told.labels} corrects labels that functions make, and labeling.mode=gold has true "
            "ones; set it to none, or take labeling.mode=weak",
        )
    if not config.columns.is_binary:
        yield (
            key,
            f"{told.labels} is for two classes, and there are {len(config.columns.classes)}; set "
            "it to none",
        )
    if told.column is None:
        single = _slices(config)
        listed = f": {' or '.join(single)}" if single else "; add one to evaluation.slices"
        yield key, f"{told.labels} needs fairness.column, whose values are the groups{listed}"
    elif told.mitigation == "none" and told.reads_column:  # else check_fairness has said it
        yield from _column(config)


def _slices(config: Config) -> list[str]:
    """The columns that are slices of their own."""
    return [names[0] for names in config.evaluation.slices if len(names) == 1]


def _column(config: Config) -> Iterator[Problem]:
    """`fairness.column` where it is no slice of its own."""
    column, single = config.fairness.column, _slices(config)
    if column is None or column in single:
        return
    close = difflib.get_close_matches(column, single, 1, 0)
    hint = f"; the nearest that is there is '{close[0]}'" if close else ""
    yield (
        ("fairness", "column"),
        f"'{column}' is no slice of its own; add [{column}] to evaluation.slices{hint}",
    )
