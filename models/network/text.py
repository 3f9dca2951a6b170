"""Text columns as ids of words and n-grams; how a device does the same is in docs/edge.md.

The id space: PADDING, UNKNOWN for a word outside the vocabulary, then the vocabulary by frequency.
An n-gram outside the vocabulary has no id.
"""

import tensorflow as tf
import tensorflow_transform as tft

from models.network.layout import TextLayout

TOKENS = "tokens"
VOCABULARY = "text_vocabulary"
PADDING, UNKNOWN, FIRST_ID = 0, 1, 2
SEPARATOR = " "

# In this order, before lower-casing. Their ranges are spelled out, so that the regular expressions
# of RE2, Python and JavaScript agree: a device repeats them.
STEPS = (
    # Control characters and spaces: tabs, line ends, no-break space ... First of all steps, since
    # TensorFlow's lower-casing would end a text at a NUL.
    ("[\x00-\x20\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]+", SEPARATOR),
    # Numbers are told apart by their number of digits alone.
    ("[0-9]", "0"),
    # A punctuation mark, a currency sign or a symbol is a word of its own.
    (
        "([!-/:-@\\[-`{-~\xa1-\xbf\u2010-\u2027\u2030-\u205e\u20a0-\u20cf\u2100-\u2bff"
        "\u3001-\u303f\U0001f000-\U0001faff])",
        r" \1 ",
    ),
)


# Lower-cased otherwise in Turkish and Azeri (I with a dot) and in Lithuanian (I with an accent).
_OF_A_LANGUAGE = "\u0130\u00cc\u00cd\u0128\u012e"


def token_ids(texts: tf.Tensor, layout: TextLayout) -> tf.Tensor:
    """Ids of the words and n-grams of text columns; fits the vocabulary as part of Transform.

    Args:
      texts: string [batch, columns], UTF-8; "" where missing, which has no words.
      layout: The columns.

    Returns:
      int64 [batch, columns * layout.width]: for each column its words in their order, then its
      n-grams, shorter ones first.
    """
    words = tf.strings.split(_normalised(tf.reshape(texts, [-1])))
    grams = tf.strings.ngrams(words, tuple(range(1, layout.ngrams + 1)), separator=SEPARATOR)
    # Below on flat values: TensorFlow builds several times larger graphs for ragged operators.
    values, rows = grams.flat_values, grams.value_rowids()
    vocabulary = tft.vocabulary(values, top_k=layout.vocabulary, vocab_filename=VOCABULARY)
    ids = tft.apply_vocabulary(values, vocabulary, default_value=UNKNOWN - FIRST_ID) + FIRST_ID
    places = tf.range(tf.size(rows, tf.int64)) - tf.gather(grams.row_starts(), rows)
    is_word = places < tf.gather(words.row_lengths(), rows)
    has_id = tf.logical_or(is_word, tf.not_equal(ids, UNKNOWN))
    known = tf.RaggedTensor.from_value_rowids(
        tf.boolean_mask(ids, has_id), tf.boolean_mask(rows, has_id), words.nrows(), validate=False
    )
    padded = known.to_tensor(PADDING, shape=[None, layout.width])
    return tf.reshape(padded, [-1, len(layout.columns) * layout.width])


def _normalised(texts: tf.Tensor) -> tf.Tensor:
    """Lower-cased text in which single words are set off by spaces."""
    for pattern, replacement in STEPS:
        texts = tf.strings.regex_replace(texts, pattern, replacement)
    return _lower(texts)


def _lower(texts: tf.Tensor) -> tf.Tensor:
    """Lower-cased as Unicode says for no language in particular, as Python does.

    TensorFlow's lower-casing of UTF-8 goes by the language of the process that runs it (LANG ...).
    The letters for which that makes a difference are lower-cased before.
    """
    texts = tf.strings.lower(texts)  # A to Z: in Turkish and Azeri an I has no dot
    for upper in _OF_A_LANGUAGE:
        texts = tf.strings.regex_replace(texts, upper, upper.lower())
    return tf.strings.lower(texts, encoding="utf-8")
