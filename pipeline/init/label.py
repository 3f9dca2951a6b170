"""Which classes a label column holds, and which of two is to be detected."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.errors import InputError
from core.raw_table import NUMBER, Label, number, present
from pipeline.init import header_words, look_alikes

MOST_CLASSES = 50
REGRESSION_VALUES = 10  # numbers with more different values are amounts, not classes
_SHOWN = 8
_YES = ("1", "1.0", "yes", "y", "true", "t", "positive", "pos", "on")


@dataclass(frozen=True)
class LabelRequest:
    """What the owner says of the label.

    Attributes:
      positive: The class to detect, all others being the other one.
      codes: Whether numbers are names of classes.
      missing: Texts that stand for an unknown value.
      least: Rows of a class, of more than two; the rows of a rarer one are left out.
    """

    positive: str | None
    codes: bool
    missing: Sequence[str]
    least: int


def choose(
    header: str, name: str, tally: Mapping[str, int], asked: LabelRequest
) -> tuple[Label, str]:
    """The label and, in words, why it has these classes.

    More than two classes are in descending frequency, those of equal frequency in the order of
    their names.

    Args:
        header: name of the column in the file.
        name: its name in the pipeline.
        tally: its different cells, and how often each is there.
        asked: what its owner says of it.

    Raises:
        InputError: there is no label, one class, an amount, or too many classes and no word about
            which to detect.
    """
    counts: Counter[str] = Counter()
    for cell, times in zip(present(list(tally), asked.missing), tally.values(), strict=True):
        if cell:
            counts[cell] += times
    counts = Counter(dict(sorted(counts.items(), key=lambda each: (-each[1], each[0]))))
    if len(counts) < 2:
        only = f"only the value '{next(iter(counts))}'" if counts else "no value"
        raise InputError(
            f"--label {header}: {only} in {sum(tally.values())} rows; two classes are needed"
        )
    if asked.positive is not None and asked.positive not in counts:
        raise InputError(
            f"--positive {asked.positive}: column '{header}' has no such value; it has "
            f"{_list(counts)}"
        )
    alike = look_alikes.groups(counts)
    _check_look_alikes(header, counts, alike, asked.positive)
    if len(counts) == 2:
        return _two(header, name, counts, asked.positive)
    if asked.positive is None:
        return _several(header, name, counts, asked)
    other = f"not {asked.positive}"
    rest = counts.total() - counts[asked.positive]
    why = f"{asked.positive}: {counts[asked.positive]} rows; all other values are '{other}': {rest}"
    if alike:
        why += f"; {look_alikes.told(alike[0])} are alike"
    return Label(header, name, asked.positive, other, True), why


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


def _two(
    header: str, name: str, counts: Counter[str], positive: str | None, left_out: Sequence[str] = ()
) -> tuple[Label, str]:
    """One class and another one; `counts` are in descending frequency."""
    chosen = positive or _positive(list(counts))
    other = next(value for value in counts if value != chosen)
    why = f"{chosen}: {counts[chosen]} rows, {other}: {counts[other]}"
    if positive is None:
        why += "; to detect the other one: --positive"
    return Label(header, name, chosen, other, False, left_out=tuple(left_out)), why


def _positive(values: Sequence[str]) -> str:
    """The one that says yes, else the rarer one; `values` are in descending frequency."""
    yes = [value for value in values if value.lower() in _YES]
    return yes[0] if len(yes) == 1 else values[-1]


def _several(
    header: str, name: str, counts: Counter[str], asked: LabelRequest
) -> tuple[Label, str]:
    """Classes as they are, those aside that are too rare."""
    _check_amount(header, counts, asked.codes)
    rare = [value for value, rows in counts.items() if rows < asked.least]
    kept = Counter({value: rows for value, rows in counts.items() if value not in rare})
    if len(kept) > MOST_CLASSES:
        raise InputError(
            f"--label {header}: {len(counts)} classes ({_list(counts)}); up to {MOST_CLASSES} are "
            "told apart. Group them in the file, or say which one to detect with --positive VALUE: "
            "all others are the other class then. If some mean 'unknown', name them with "
            "--missing TEXT"
        )
    if len(kept) < 2:
        raise InputError(
            f"--label {header}: {len(counts)} classes ({_list(counts)}), of which "
            f"{len(kept)} have {asked.least} rows or more, as many as training and test part need; "
            "bring more rows, or say which one to detect with --positive VALUE"
        )
    if len(kept) == 2:
        return _two(header, name, kept, None, rare)
    label = Label(header, name, classes=tuple(kept), left_out=tuple(rare))
    return label, f"{len(kept)} classes ({_list(kept)}); one against the rest: --positive"


def _check_amount(header: str, counts: Counter[str], codes: bool) -> None:
    """Refuses numbers that are no names of classes.

    Raises:
        InputError: they are amounts.
    """
    numbers = [number(value, NUMBER) for value in counts]
    if None in numbers or len(counts) <= REGRESSION_VALUES:
        return
    whole = all(value is not None and float(value).is_integer() for value in numbers)
    named = codes or (whole and header_words.is_code(header))
    if named and len(counts) <= MOST_CLASSES:
        return
    low, high = min(numbers, key=_float), max(numbers, key=_float)
    raise InputError(
        f"--label {header}: numbers from {low} to {high}, {len(counts)} different: an amount, "
        "and this pipeline tells classes apart. Add a column that asks a question of it with a "
        "few answers, such as whether it is above a bound, and name that (docs/your-data.md, 'A "
        f"label from an amount'). Are they codes, {MOST_CLASSES} at most? --kind {header}=category"
    )


def _float(plain: str | None) -> float:
    return float(plain or 0)


def _list(counts: Counter[str]) -> str:
    shown = [f"'{value}': {rows}" for value, rows in counts.most_common(_SHOWN)]
    more = [f"and {len(counts) - _SHOWN} more"] if len(counts) > _SHOWN else []
    return ", ".join([*shown, *more])
