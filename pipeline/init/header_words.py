"""What the words of a column's name say of it: that it is a code, or about who people are."""

import re

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_ID_WORDS = re.compile(r"(^|[^a-z])(id|nr|no|key|uuid|guid|index|number)$", re.IGNORECASE)
_CODES = frozenset({
    "code", "codes", "cd", "class", "category", "cat", "type", "kind", "group", "area", "zone",
    "district", "region", "zip", "zipcode", "postal", "postcode", "plz", "tract", "month",
    "weekday", "day", "hour", "status", "cluster", "segment", "branch", "store", "shop", "channel",
    "ward", "county", "state", "country", "sector", "department", "dept", "model", "version",
    "level", "grade",
})  # fmt: skip
# Words that say so whatever the numbers look like.
_SURE_CODES = frozenset({
    "code", "codes", "cd", "zip", "zipcode", "postal", "postcode", "plz", "postleitzahl", "tract",
    "prefix", "sku", "ean", "upc", "gtin", "isbn", "naics", "sic", "nace", "fips", "icd", "diag",
    "cpt", "hcpcs", "drg", "ndc", "atc", "iata", "icao",
})  # fmt: skip
_COUNTS = frozenset({
    "age", "count", "number", "num", "nr", "no", "years", "days", "hours", "minutes", "seconds",
    "total",
})  # fmt: skip
# Attributes by which a fairness review would ask for results, or stand-ins of them.
_SENSITIVE = frozenset({
    "sex", "gender", "race", "racial", "ethnic", "ethnicity", "ethnicities", "religion",
    "religious", "faith", "creed", "nationality", "disabled", "disability", "disabilities",
    "handicap", "age", "ages", "colour", "color", "skin", "foreign", "foreigner", "immigrant",
    "immigration", "migrant", "citizen", "citizenship", "marital", "married", "pregnant",
    "pregnancy", "orientation", "caste", "tribe", "tribal", "indigenous", "language", "veteran",
    "birthplace", "ethnie", "geschlecht", "alter", "nationalitaet", "religionszugehoerigkeit",
    "staatsangehoerigkeit", "familienstand",
})  # fmt: skip
_PHRASES = (
    "personal status", "family status", "civil status", "native country", "country of birth",
    "birth country", "place of birth", "national origin", "relationship status", "parental status",
)  # fmt: skip


def words_of(header: str) -> list[str]:
    """`Age_cat` and `ageCat` are `age cat`."""
    return [word.lower() for word in _WORDS.findall(header)]


def is_code(header: str) -> bool:
    """Whether whole numbers under this name are rather names of things than amounts."""
    words = set(words_of(header))
    return bool(words & _CODES) and not words & _COUNTS


def is_surely_code(header: str) -> bool:
    """Whether numbers under this name are names of things, however many there are."""
    words = set(words_of(header))
    return bool(words & _SURE_CODES) and not words & _COUNTS


def is_id(header: str) -> bool:
    """Whether a column is, by its name, the number of a thing."""
    return bool(_ID_WORDS.search(header))


def is_sensitive(header: str) -> bool:
    """Whether a column is, by its name, about who people are."""
    words = words_of(header)
    text = " ".join(words)
    return bool(_SENSITIVE.intersection(words)) or any(phrase in text for phrase in _PHRASES)
