"""Columns of texts: categories, free text, short texts such as titles, and ids."""

import re
from collections import Counter

from core.raw_table import CATEGORY, TEXT
from pipeline.init.kinds.categories import category, category_or_none, has_frequent, is_listed
from pipeline.init.kinds.seen import ROWS_A_VALUE, Counts, Seen, otherwise

WORDS_OF_TEXT = 4  # on average, in free text
SHORT_TEXT_WORDS = 1.3  # on average, in titles and the like
LETTERS_OF_A_WORD = 3
LEAST_SHARED = 5  # different words that several texts have in common
_WORD = re.compile(rf"[^\W\d_]{{{LETTERS_OF_A_WORD},}}")


def as_text(header: str, counts: Counts) -> Seen:
    """What a column of texts is.

    Values that repeat are a category. Texts that hardly repeat, but whose words do, say something
    by their words, however short they are.
    """
    rows = counts.total()
    if is_listed(counts):
        return category(header, f"{len(counts)} different texts", counts)
    words = sum((cell.count(" ") + 1) * times for cell, times in counts.items()) / rows
    of_rows = f"{len(counts)} different texts in {rows} rows"
    if words >= WORDS_OF_TEXT:
        return Seen(header, TEXT, f"free text, {words:.0f} words on average: {of_rows}")
    few_rows_each = rows < ROWS_A_VALUE * len(counts)
    if few_rows_each and words >= SHORT_TEXT_WORDS and _share_words(counts):
        why = f"short texts that share words, {words:.1f} on average: {of_rows}"
        advice = f"names of things? {otherwise(header, CATEGORY)}"
        return Seen(header, TEXT, why, advice if has_frequent(counts) else "")
    advice = "" if has_frequent(counts) else f"text? {otherwise(header, TEXT)}"
    return category_or_none(header, of_rows, counts, advice, "e.g. by region or type")


def _share_words(counts: Counts) -> bool:
    """Whether most of different texts have a word that others have too, but not most of them."""
    words_of = [set(_WORD.findall(cell.lower())) for cell in counts]
    found = Counter(word for words in words_of for word in words)
    shared = {word for word, texts in found.items() if 2 <= texts <= len(counts) / 2}
    having = sum(not shared.isdisjoint(words) for words in words_of)
    return len(shared) >= LEAST_SHARED and having >= len(counts) / 2
