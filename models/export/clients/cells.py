"""From cells of raw records to numbers and ids, for run.py; docs/edge.md says it in words."""

import csv
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

_LARGEST = np.finfo(np.float32).max
_MONTHS = "janfebmaraprmayjunjulaugsepoctnovdec"


def records(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Records of JSON lines, or of CSV with a header.

    Raises:
      ValueError: A record is not whole.
      csv.Error: The text is no CSV.
    """
    filled = itertools.dropwhile(lambda line: not line.strip(), lines)
    first = next(filled, "")
    rest = itertools.chain([first], filled)
    if first.lstrip().startswith("{"):
        for line in filter(str.strip, rest):
            record = json.loads(line)
            if not isinstance(record, dict):
                raise ValueError(f"it is no JSON object: {line.strip()}")
            yield record
        return
    for record in csv.DictReader(rest):
        if None in record or None in record.values():
            raise ValueError("it has not as many cells as the first line has columns")
        yield record


def number(value: Any, column: Mapping[str, Any], told: Mapping[str, Any]) -> tuple[Any, int]:
    """What a number, or None, is in the input `numeric`, and its bucket."""
    try:
        with np.errstate(over="ignore"):
            x = np.float32("nan" if value is None else value)
    except ValueError:
        raise ValueError(f"{column['column']}: {value!r} is no number") from None
    if np.isnan(x):
        return empty(told), told["buckets"]
    x = x if abs(x) >= 2.0**-100 else np.float32(0)
    bounds = np.array(column["boundaries"], np.float32)
    bucket = int(np.sum(x >= bounds))
    if "center" not in column:
        return _rank(x, bounds, bucket, told["buckets"]), bucket
    with np.errstate(over="ignore"):
        score = (x - np.float32(column["center"])) / np.float32(column["scale"])
    return np.clip(score, -told["limit"], told["limit"]), bucket


def empty(told: Mapping[str, Any]) -> float:
    """What `numeric` holds of a number that is missing, or where there is none."""
    return 0.0 if "limit" in told else 0.5


def _rank(x: np.float32, bounds: np.ndarray, bucket: int, buckets: int) -> Any:
    """The quantile rank: what `numeric` held up to format 2 of preprocessing.json."""
    below, above = bounds[np.clip([bucket - 1, bucket], 0, len(bounds) - 1)] / np.float32(2)
    x = np.clip(x, -_LARGEST, _LARGEST) / np.float32(2)
    within = (x - below) / (above - below) if above > below else np.float32(0)
    within = np.clip(within, np.float32(0), np.float32(1))
    return (np.float32(bucket) + within) / np.float32(buckets)


def quantized(values: Sequence[float], scale: float, zero_point: int) -> list[int]:
    """Numbers as the integers that some models take; halves go to the even one."""
    rounded = np.rint(np.array(values, np.float32) * (np.float32(1) / np.float32(scale)))
    return [int(value) for value in np.clip(rounded + zero_point, -128, 127)]


def listed_id(value: str | None, column: Mapping[str, Any]) -> int:
    """Id of a value of a category whose values are listed."""
    if value is None:
        return int(column["missing"])
    known = column["values"]
    return int(column["offset"] + (known.index(value) + 1 if value in known else 0))


def moment(cell: str | None, date: Mapping[str, Any]) -> int | None:
    """Seconds since 1970 on the clock of a date's zone; None where the cell tells none."""
    match = re.fullmatch(date["pattern"], cell or "")
    if match is None:
        return None
    has = dict(zip(date["fields"], match.groups(), strict=True))
    name = has.get("month_name", "jan")[:3].lower()
    month = int(has.get("month", _MONTHS.index(name) // 3 + 1))
    short = int(has.get("year_of_century", 70))
    year = has.get("year", short + (1900 if short >= 69 else 2000))
    try:
        day = np.datetime64(f"{year}-{month:02}-{int(has.get('day', 1)):02}", "s").astype(int)
    except ValueError:
        return None  # the 31st of April
    hour = int(has.get("hour", 0))
    if "half" in has:
        hour = int(has["hour12"]) % 12 + (12 if has["half"][0] in "Pp" else 0)
    utc = int(day) + hour * 3600 + int(has.get("minute", 0)) * 60 + int(has.get("second", 0))
    if "offset" in has:
        digits = re.sub("[^0-9]", "", has["offset"]).ljust(4, "0")
        ahead = int(digits[:2]) * 3600 + int(digits[2:]) * 60
        utc -= -ahead if has["offset"][0] == "-" else ahead
    utc = int(has.get("epoch", utc))
    return utc + ([0] + [added for since, added in date["offsets"] if since <= utc])[-1]


def age(time: int | None, date: Mapping[str, Any]) -> float | None:
    """Days since the newest time in training."""
    return None if time is None else (time - date["newest"]) / 86400


def part_ids(time: int | None, date: Mapping[str, Any]) -> list[int]:
    """Ids of month, weekday and hour, those that the date has."""
    if time is None:
        return [part["offset"] + part["values"] for part in date["parts"]]
    month = int(np.datetime64(time, "s").astype("datetime64[M]").astype(int)) % 12
    parts = {"month": month, "weekday": (time // 86400 + 3) % 7, "hour": time // 3600 % 24}
    return [part["offset"] + parts[part["part"]] for part in date["parts"]]


def hashed_id(value: str | None, column: Mapping[str, Any], hashed: Mapping[str, Any]) -> int:
    """Id of a value of a category of many values."""
    if not value:
        return int(column["offset"] + hashed["buckets"])
    bucket = _sip_hash(value.encode("utf-8", "surrogatepass"), hashed["key"]) % hashed["buckets"]
    return int(column["values"].get(value, column["offset"] + bucket))


def tokens(cells: Mapping[str, str | None], text: dict[str, Any]) -> list[int]:
    """Ids of the words and n-grams of all text columns, `width` of each."""
    if "ids" not in text:  # once for a bundle
        text["ids"] = {gram: n for n, gram in enumerate(text["vocabulary"], text["offset"])}
    ids_of, found = text["ids"], []
    for column in text["columns"]:
        cell = cells[column] or ""
        for pattern, replacement in text["steps"]:
            cell = re.sub(pattern, replacement, cell)
        words = [word for word in cell.lower().split(" ") if word]
        ids = [ids_of.get(word, text["unknown"]) for word in words]
        for n in range(2, text["ngrams"] + 1):
            grams = (" ".join(words[at : at + n]) for at in range(len(words) - n + 1))
            ids += [ids_of[gram] for gram in grams if gram in ids_of]
        found += (ids + [text["padding"]] * text["width"])[: text["width"]]
    return found


def _sip_hash(content: bytes, key: Sequence[int]) -> int:
    """SipHash-2-4, 64 bits."""
    state = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
    a, b, c, d = (word ^ key[n % 2] for n, word in enumerate(state))
    full = content + bytes(7 - len(content) % 8) + bytes([len(content) % 256])
    for at in range(0, len(full) + 8, 8):
        word = int.from_bytes(full[at : at + 8], "little")
        c, d = (c, d ^ word) if at < len(full) else (c ^ 255, d)
        for by_b, by_d in ((13, 16), (17, 21)) * (2 if at < len(full) else 4):
            a, c = (a + b) % 2**64, (c + d) % 2**64
            b, d = _turned(b, by_b) ^ a, _turned(d, by_d) ^ c
            a, c = c, _turned(a, 32)
        a ^= word
    return a ^ b ^ c ^ d


def _turned(word: int, by: int) -> int:
    return (word << by | word >> (64 - by)) % 2**64
