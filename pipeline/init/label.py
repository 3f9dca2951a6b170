"""Which two classes a label column holds, and which of them is to be detected."""

from collections import Counter
from collections.abc import Mapping, Sequence

from core.errors import InputError
from core.raw_table import NUMBER, Label, number, present
from pipeline.init import look_alikes

REGRESSION_VALUES = 10  # numbers with more different values are amounts, not classes
_SHOWN = 8
_YES = ("1", "1.0", "yes", "y", "true", "t", "positive", "pos", "on")


def choose(
    header: str,
    name: str,
    tally: Mapping[str, int],
    missing: Sequence[str],
    positive: str | None,
) -> tuple[Label, str]:
    """The label and, in words, why it has these classes.

    Args:
        header: name of the column in the file.
        name: its name in the pipeline.
        tally: its different cells, and how often each is there.
        missing: texts that stand for an unknown value.
        positive: the class to detect, if its owner says it.

    Raises:
        InputError: there is no label, one class, an amount, or several classes and no word about
            which to detect.
    """
    counts: Counter[str] = Counter()
    for cell, times in zip(present(list(tally), missing), tally.values(), strict=True):
        if cell:
            counts[cell] += times
    values = [value for value, _ in counts.most_common()]
    if len(values) < 2:
        only = f"only the value '{values[0]}'" if values else "no value"
        raise InputError(
            f"--label {header}: {only} in {sum(tally.values())} rows; two classes are needed"
        )
    if positive is not None and positive not in counts:
        raise InputError(
            f"--positive {positive}: column '{header}' has no such value; it has {_list(counts)}"
        )
    alike = look_alikes.groups(values)
    _check_look_alikes(header, counts, alike, positive)
    if len(values) == 2:
        chosen = positive or _positive(values)
        other = next(value for value in values if value != chosen)
        why = f"{chosen}: {counts[chosen]} rows, {other}: {counts[other]}"
        if positive is None:
            why += "; to detect the other one: --positive"
        return Label(header, name, chosen, other, False), why
    if positive is None:
        raise InputError(_several(header, counts))
    other = f"not {positive}"
    rest = counts.total() - counts[positive]
    why = f"{positive}: {counts[positive]} rows; all other values are '{other}': {rest}"
    if alike:
        why += f"; {look_alikes.told(alike[0])} are alike"
    return Label(header, name, positive, other, True), why


def _check_look_alikes(
    header: str, counts: Counter[str], alike: list[list[str]], positive: str | None
) -> None:
    """Refuses values that differ in their spelling only, unless all are of the other class."""
    for same in alike:
        if positive is None or positive in same:
            rows = ", ".join(f"{look_alikes.told([value])}: {counts[value]}" for value in same)
            raise InputError(
                f"--label {header}: values that differ in capitals, blanks, the composition of "
                f"letters or the form of a number only ({rows}) would be different classes; write "
                "them alike in the file"
            )


def _positive(values: Sequence[str]) -> str:
    """The one that says yes, else the rarer one; `values` are in descending frequency."""
    yes = [value for value in values if value.lower() in _YES]
    return yes[0] if len(yes) == 1 else values[-1]


def _several(header: str, counts: Counter[str]) -> str:
    numbers = [number(value, NUMBER) for value in counts]
    if None not in numbers and len(counts) > REGRESSION_VALUES:
        low, high = min(numbers, key=_float), max(numbers, key=_float)
        return (
            f"--label {header}: numbers from {low} to {high}, {len(counts)} different: an amount, "
            "and this pipeline tells two classes apart. Add a column that asks a question of it "
            "with two answers, such as whether it is above a bound, and name that "
            "(docs/your-data.md, 'A label from an amount')"
        )
    return (
        f"--label {header}: {len(counts)} classes ({_list(counts)}); say which one to detect with "
        f"--positive VALUE, all others are the other class. If some mean 'unknown', name them "
        "with --missing TEXT"
    )


def _float(plain: str | None) -> float:
    return float(plain or 0)


def _list(counts: Counter[str]) -> str:
    shown = [f"'{value}': {rows}" for value, rows in counts.most_common(_SHOWN)]
    more = [f"and {len(counts) - _SHOWN} more"] if len(counts) > _SHOWN else []
    return ", ".join([*shown, *more])
