"""Categories: of few values, which the contract lists, and of many, of which some are frequent."""

from core.raw_table import CATEGORY, MANY_VALUED
from pipeline.init import look_alikes
from pipeline.init.kinds.seen import LEFT_OUT, ROWS_A_VALUE, Counts, Seen

MOST_VALUES = 200  # that the contract lists
FEW_VALUES = 20  # a category in a file of any size, if each is there twice
FREQUENT_SHARE = 0.1  # rows whose value is there ROWS_A_VALUE times, at least


def is_listed(counts: Counts, most: int = MOST_VALUES) -> bool:
    """Whether values are so few that the contract can list them, and each teaches something."""
    rows_a_value = 2 if len(counts) <= FEW_VALUES else ROWS_A_VALUE
    return len(counts) <= most and counts.total() >= rows_a_value * len(counts)


def has_frequent(counts: Counts) -> bool:
    """Whether some of many values are there so often that models can learn from them."""
    frequent = sum(times for times in counts.values() if times >= ROWS_A_VALUE)
    return frequent >= FREQUENT_SHARE * counts.total()


def category(header: str, why: str, counts: Counts, advice: str = "") -> Seen:
    """A category; many-valued where its values are too many for the contract."""
    if alike := look_alikes.groups(counts):
        advice = (
            f"{look_alikes.told(alike[0])} count as different: write them alike if they are not"
        )
    if len(counts) > MOST_VALUES:
        return Seen(header, MANY_VALUED, why, advice)
    return Seen(header, CATEGORY, why, advice, tuple(sorted(counts)))


def category_or_none(header: str, why: str, counts: Counts, advice: str, grouped: str) -> Seen:
    """A category if there is something to learn from its values, else left out.

    Args:
      header: Name of the column.
      why: What its values are.
      counts: Its values.
      advice: What to do if it is none.
      grouped: How its values could be grouped.
    """
    if is_listed(counts) or has_frequent(counts):
        return category(header, why, counts, advice)
    return Seen(
        header,
        LEFT_OUT,
        f"{why}: an id, or too many values, each too rare to learn from",
        f"group the values, {grouped}{f'; {advice}' if advice else ''}",
    )
