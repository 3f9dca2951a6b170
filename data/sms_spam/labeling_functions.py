"""Labelling functions of the SMS set: is a message spam?

Each function takes a row, a mapping from column name to value (None if the value is missing), and
votes POSITIVE, NEGATIVE or ABSTAIN. They were written from reading messages of the training part,
and from what is known of British premium-rate numbers and short codes. Every Snorkel
`LabelingFunction` of this module takes part: a new function needs no registration.
"""

import csv
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import phonenumbers
from phonenumbers import PhoneNumberType
from snorkel.labeling import labeling_function
from snorkel.preprocess import preprocessor
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

NEGATIVE, POSITIVE, ABSTAIN = 0, 1, -1

Row = Mapping[str, Any]

PRIZE = {"prize", "winner", "won", "awarded", "claim", "congratulations", "congrats", "jackpot"}
PRIZE |= {"voucher", "vouchers", "guaranteed", "reward", "bonus", "selected", "urgent"}
HANDSET = {"ringtone", "ringtones", "tone", "tones", "polyphonic", "nokia", "motorola", "camcorder"}
HANDSET |= {"handset", "sonyericsson", "mobile", "mobiles", "bluetooth", "wap", "download", "mins"}
ADULT = {"sexy", "sex", "xxx", "babes", "horny", "naked", "adult", "18", "dating", "flirt", "chat"}
CHAT_LINE = {"singles", "girls", "gender", "age", "hot", "nasty", "rude", "stories", "filthy"}
CHAT_LINE |= {"pics"}
CONTENT = {"tone", "tones", "ringtone", "content", "mobile", "music", "video", "pics", "wap"}
CONTENT |= {"wallpaper", "game", "games", "logo", "service", "credit", "credits", "club"}
SALE = {"free", "order", "download", "choose", "enjoy", "latest", "receive", "collect", "credit"}
SALE |= {"reply", "subscription", "weekly", "new", "cost", "offer", "click", "play", "shortly"}
SALES_TALK = PRIZE | HANDSET | ADULT | CHAT_LINE | CONTENT | {"free", "txt", "reply", "txts", "win"}
CHATTY = {"lol", "haha", "hahaha", "lor", "lah", "leh", "liao", "hmm", "yup", "yeah", "nah"}
CHATTY |= {
    "gonna",
    "wanna",
    "dunno",
    "ok",
    "okay",
    "k",
    "oh",
    "sorry",
    "thanx",
    "thanks",
    "tomorrow",
    "da",
}
PERSONAL = {"i", "i'm", "im", "i'll", "ill", "i've", "ive", "my", "me", "she", "he", "her", "him"}
PREMIUM_TYPES = {
    PhoneNumberType.PREMIUM_RATE,
    PhoneNumberType.SHARED_COST,
    PhoneNumberType.TOLL_FREE,
    PhoneNumberType.PERSONAL_NUMBER,
}

PRICE = re.compile(
    r"\b\d+(?:\.\d+)?\s?p(?:pm|\b|/|er)|£\s?\d[\d.]*\s?(?:/|per|a )\s?\w", re.IGNORECASE
)
MONEY = re.compile(r"£\s?\d|\b\d+\s?pounds?\b", re.IGNORECASE)
ORDER = re.compile(
    r"\b(?:txt|text|send|reply|call|sms)\b[^.?!]{0,40}?\b(?:to|on|2|with|:)?\s*:?\s*\d{4,}",
    re.IGNORECASE,
)
OPT_OUT = re.compile(
    r"\bstop\b[^.]{0,12}\b(?:txt|text|sms)\b|\b(?:txt|text|send|reply|sms|2)[ -]*(?:\w+ )?stop\b"
    r"|\bto stop (?:txt|text|send|reply|sms|msg|receiving)|\d ?to stop|stop2|2stop"
    r"|opt[ -]?out|unsub",
    re.IGNORECASE,
)
SMALL_PRINT = re.compile(
    r"\bt\s?(?:'s|s)?\s?(?:&|and|n)\s?c|\bsae\b|\bp\.?o\.? ?box|\b(?:16|18)\s?(?:\+|yrs)"
    r"|\+?£?\d\.?\d* ?/ ?(?:msg|wk|min)",
    re.IGNORECASE,
)
KEYWORD_TO_SEND = re.compile(
    r"\b(?i:txt|text|send|reply|sms)\b(?: (?i:back|with|your|the|word|keyword|now|:))*"
    r" ?:? ?[A-Z]{3,}"
)
LONG_NUMBER = re.compile(r"\b0\d{9,10}(?!\d)|\+44\d{9,10}")
DIGIT_RUN = re.compile(r"(?<!\d)\d{5,11}(?!\d)")
ANSWERABLE = re.compile(r"\d{3}")
NOTICE = re.compile(
    r"\byour? (?:next|weekly|order|account|subscription|credits?|content|video|tones?)\b"
    r"|\byou (?:will be receiving|have received your|are entitled|are subscribed|can now)\b"
    r"|\b(?:1|one|a) new (?:message|voicemail)|\bour (?:brand|new|service|offer|records|quiz)",
    re.IGNORECASE,
)
SMILEY = re.compile(r"[:;=]-?(?:[()DPp]|/(?!/))|<3|\bx{1,3}\b\s*$")


def table(name: str) -> list[dict[str, str]]:
    """The rows of a CSV file beside this module, which counts as its source: an edit is noticed."""
    with open(Path(__file__).with_name(name), encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


NUMBER_RANGES = [(r["prefix"], int(r["digits"]), r["kind"]) for r in table("number_ranges.csv")]
CAMPAIGN_OF_PHRASE = {r["phrase"]: r["campaign"] for r in table("spam_phrases.csv")}


@cache
def sentiment_analyzer() -> SentimentIntensityAnalyzer:
    """The model, read from its package's files once, when the first row needs it."""
    return SentimentIntensityAnalyzer()


@preprocessor(memoize=True)
def with_words(row: Row) -> Row:
    """Adds `lower`, the text in lower case, and `words`, the set of its words."""
    lower = (row["text"] or "").lower()
    return {**row, "lower": lower, "words": set(re.findall(r"[a-z0-9']+", lower))}


@preprocessor(memoize=True)
def with_sentiment(row: Row) -> Row:
    """Adds `sentiment`: VADER's compound score of the text, -1 to 1 (Hutto and Gilbert, 2014)."""
    return {**row, "sentiment": sentiment_analyzer().polarity_scores(row["text"] or "")["compound"]}


@preprocessor(memoize=True)
def with_numbers(row: Row) -> Row:
    """Adds `numbers`: the runs of digits in the text that are long enough to be dialled."""
    return {**row, "numbers": DIGIT_RUN.findall(row["text"] or "")}


@labeling_function(pre=[with_words])
def prize(row: Row) -> int:
    """Keywords: words of winning and claiming, two of them."""
    return POSITIVE if len(row["words"] & PRIZE) >= 2 else ABSTAIN


@labeling_function(pre=[with_words])
def handset_offer(row: Row) -> int:
    """Keywords: phones, tones and contracts, two of them."""
    return POSITIVE if len(row["words"] & HANDSET) >= 2 else ABSTAIN


@labeling_function(pre=[with_words])
def adult_offer(row: Row) -> int:
    """Keywords: chat lines and dating, with a number to answer to."""
    return POSITIVE if row["words"] & ADULT and DIGIT_RUN.search(row["lower"]) else ABSTAIN


@labeling_function(pre=[with_words])
def adult_words(row: Row) -> int:
    """Keywords: two of those that chat lines use."""
    return POSITIVE if len(row["words"] & (ADULT | CHAT_LINE)) >= 2 else ABSTAIN


@labeling_function()
def notice_of_a_service(row: Row) -> int:
    """Pattern: what an account, an order or a subscription is told, in a message of some length."""
    long = row["length"] is not None and row["length"] >= 30
    return POSITIVE if long and NOTICE.search(row["text"] or "") else ABSTAIN


@labeling_function(pre=[with_words])
def free_of_charge(row: Row) -> int:
    """Keyword and threshold: what is free is spelled in capitals, or comes with digits."""
    loud = "FREE" in (row["text"] or "") or ANSWERABLE.search(row["lower"])
    return POSITIVE if "free" in row["words"] and loud else ABSTAIN


@labeling_function()
def price_of_answer(row: Row) -> int:
    """Pattern: pence a message or a minute, pounds a week."""
    return POSITIVE if PRICE.search(row["text"] or "") else ABSTAIN


@labeling_function()
def sum_of_money(row: Row) -> int:
    """Pattern: an amount in pounds."""
    return POSITIVE if MONEY.search(row["text"] or "") else ABSTAIN


@labeling_function()
def told_to_call_or_text(row: Row) -> int:
    """Pattern: an order to send a word to a number or to call one."""
    return POSITIVE if ORDER.search(row["text"] or "") else ABSTAIN


@labeling_function()
def told_to_send_a_word(row: Row) -> int:
    """Pattern: an order to answer with a word that is spelled in capitals."""
    return POSITIVE if KEYWORD_TO_SEND.search(row["text"] or "") else ABSTAIN


@labeling_function(pre=[with_words])
def content_for_phones(row: Row) -> int:
    """Keywords: a thing that phones can get, and how it is sold; companies do not say "I"."""
    found = row["words"] & CONTENT and row["words"] & SALE
    return POSITIVE if found and not row["words"] & PERSONAL else ABSTAIN


@labeling_function()
def way_to_opt_out(row: Row) -> int:
    """Pattern: how to have no more of these messages; friends do not say that."""
    return POSITIVE if OPT_OUT.search(row["text"] or "") else ABSTAIN


@labeling_function()
def small_print(row: Row) -> int:
    """Pattern: terms and conditions, post-office boxes, ages."""
    return POSITIVE if SMALL_PRINT.search(row["text"] or "") else ABSTAIN


@labeling_function()
def link(row: Row) -> int:
    """Value of a column: hardly anybody sent links by SMS in those years, save to sell.

    Addresses of mail, and what a gateway adds to the messages that it sends, are no links.
    """
    signature = re.search(r"sent via|@\w", row["text"] or "", re.IGNORECASE)
    return POSITIVE if row["has_link"] == "yes" and not signature else ABSTAIN


@labeling_function()
def loud(row: Row) -> int:
    """Threshold: words in capitals, in a message that is not all in capitals and has a number."""
    words = re.findall(r"\b[A-Za-z]{3,}\b", row["text"] or "")
    capitals = sum(word.isupper() for word in words)
    answerable = ANSWERABLE.search(row["text"] or "")
    return POSITIVE if answerable and 2 <= capitals < 0.6 * len(words) else ABSTAIN


@labeling_function(resources={"ranges": NUMBER_RANGES}, pre=[with_numbers])
def costly_number(row: Row, ranges: list[tuple[str, int, str]]) -> int:
    """Knowledge base: a number of a range that costs the caller or is paid for by a company."""
    kinds = {
        kind
        for number in row["numbers"]
        for prefix, digits, kind in ranges
        if len(number) == digits and number.startswith(prefix)
    }
    return POSITIVE if kinds else ABSTAIN


@labeling_function(resources={"campaigns": CAMPAIGN_OF_PHRASE}, pre=[with_words])
def campaign_phrases(row: Row, campaigns: Mapping[str, str]) -> int:
    """Knowledge base: phrases of two kinds, such as a prize and how to opt out."""
    found = {campaign for phrase, campaign in campaigns.items() if phrase in row["lower"]}
    return POSITIVE if len(found) >= 2 else ABSTAIN


@labeling_function()
def number_of_a_company(row: Row) -> int:
    """Third-party model: `phonenumbers` knows which British numbers are no person's."""
    for text in LONG_NUMBER.findall(row["text"] or ""):
        number = phonenumbers.parse(text, "GB")
        if phonenumbers.number_type(number) in PREMIUM_TYPES:
            return POSITIVE
    return ABSTAIN


@labeling_function(pre=[with_sentiment])
def sells_happily(row: Row) -> int:
    """Third-party model: positive, and there is a number to answer to: prizes and presents."""
    answerable = ANSWERABLE.search(row["text"] or "")
    return POSITIVE if row["sentiment"] >= 0.4 and answerable else ABSTAIN


@labeling_function(pre=[with_sentiment])
def complains(row: Row) -> int:
    """Third-party model: nobody sells with bad feelings."""
    answerable = ANSWERABLE.search(row["text"] or "") or row["has_link"] == "yes"
    return NEGATIVE if row["sentiment"] <= -0.2 and not answerable else ABSTAIN


@labeling_function(pre=[with_numbers])
def short(row: Row) -> int:
    """Threshold: whoever pays for a message to sell something fills it, and gives a number."""
    few = row["length"] is not None and row["length"] < 60
    return NEGATIVE if few and not row["numbers"] else ABSTAIN


@labeling_function(pre=[with_words])
def nothing_to_sell(row: Row) -> int:
    """Threshold and keywords: no three digits in a row, no link, and no word of sales."""
    answerable = ANSWERABLE.search(row["lower"]) or row["has_link"] == "yes"
    return ABSTAIN if answerable or row["words"] & SALES_TALK else NEGATIVE


@labeling_function(pre=[with_words])
def small_talk(row: Row) -> int:
    """Keywords: how people talk to each other."""
    return NEGATIVE if row["words"] & CHATTY and not DIGIT_RUN.search(row["lower"]) else ABSTAIN


@labeling_function(pre=[with_words])
def about_people(row: Row) -> int:
    """Keywords: two words for the writer or for somebody they both know, and no number to call."""
    personal = len(row["words"] & PERSONAL) >= 2
    return NEGATIVE if personal and not DIGIT_RUN.search(row["lower"]) else ABSTAIN


@labeling_function()
def smiley(row: Row) -> int:
    """Pattern: smileys and kisses."""
    return NEGATIVE if SMILEY.search(row["text"] or "") else ABSTAIN


@labeling_function()
def trails_off(row: Row) -> int:
    """Pattern: dots that mark a pause; companies end their sentences."""
    pauses = ".." in (row["text"] or "") and row["has_digits"] == "no"
    return NEGATIVE if pauses else ABSTAIN
