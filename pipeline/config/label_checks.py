"""Says what is wrong with `fairness.labels`."""

import difflib
from collections.abc import Iterator

from core.config import Config
from pipeline.config.overlay import KeyPath

Problem = tuple[KeyPath, str]


def check_labels_by_group(config: Config) -> Iterator[Problem]:
    """Columns that are not there, and labels that cannot be corrected."""
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
    single = [names[0] for names in config.evaluation.slices if len(names) == 1]
    if told.column is None:
        listed = f": {' or '.join(single)}" if single else "; add one to evaluation.slices"
        yield key, f"{told.labels} needs fairness.column, whose values are the groups{listed}"
    elif told.column not in single:
        close = difflib.get_close_matches(told.column, single, 1, 0)
        nearest = f"; the nearest that is there is '{close[0]}'" if close else ""
        yield (
            ("fairness", "column"),
            f"'{told.column}' is no slice of its own; add [{told.column}] to "
            f"evaluation.slices{nearest}",
        )
