"""The labelling functions of the SMS set: what they vote on messages made up for the purpose."""

from typing import Any

import pytest

from data.sms_spam import labeling_functions, spans
from data.sms_spam.labeling_functions import ABSTAIN, NEGATIVE, POSITIVE
from models.labels import functions as labeling

SPAM = (
    "URGENT! You have WON a £500 cash prize GUARANTEED. To claim call 09061701461 now or txt WIN "
    "to 86688, 150p/msg. T&Cs www.win-now.co.uk PO Box 12. Txt STOP to opt out. 18+"
)
HAM = "sorry i'm late.. my bus is slow, can you tell her i'll be home by 7 :)"
FUNCTIONS = {function.name: function for function in labeling.collect(labeling_functions)}


def row(text: str | None) -> dict[str, Any]:
    derived = spans.derive(text or "")
    return {"text": text, **derived, "length": int(derived["length"])}


def votes(text: str | None) -> dict[str, int]:
    return {name: function(row(text)) for name, function in FUNCTIONS.items()}


def test_spam_and_ham() -> None:
    assert NEGATIVE not in votes(SPAM).values()
    assert sum(vote == POSITIVE for vote in votes(SPAM).values()) >= 10
    assert POSITIVE not in votes(HAM).values()
    assert sum(vote == NEGATIVE for vote in votes(HAM).values()) >= 4


@pytest.mark.parametrize(
    ("function", "text", "vote"),
    [
        ("prize", "you won the prize", POSITIVE),
        ("prize", "a surprize, well won", ABSTAIN),
        ("handset_offer", "new Nokia handset", POSITIVE),
        ("content_for_phones", "Choose any ringtone", POSITIVE),
        ("content_for_phones", "i like my new mobile", ABSTAIN),
        ("free_of_charge", "FREE for you", POSITIVE),
        ("free_of_charge", "are you free", ABSTAIN),
        ("price_of_answer", "only 10p per minute", POSITIVE),
        ("price_of_answer", "£3/wk", POSITIVE),
        ("price_of_answer", "at 10 pm", ABSTAIN),
        ("told_to_call_or_text", "Txt CHAT to 86688", POSITIVE),
        ("told_to_call_or_text", "text me at 8", ABSTAIN),
        ("told_to_send_a_word", "reply with SING", POSITIVE),
        ("told_to_send_a_word", "reply with a song", ABSTAIN),
        ("way_to_opt_out", "To stop txt STOP", POSITIVE),
        ("way_to_opt_out", "he needs to stop it", ABSTAIN),
        ("small_print", "T&C's apply", POSITIVE),
        ("link", "www.getzed.co.uk", POSITIVE),
        ("link", "me@hotmail.com", ABSTAIN),
        ("link", "- Sent via WAY2SMS.COM", ABSTAIN),
        ("loud", "CALL NOW for tickets to the great big show tonight, 0207", POSITIVE),
        ("loud", "CALL NOW for tickets to the great big show tonight", ABSTAIN),
        ("loud", "WHERE ARE YOU NOW, IN 101?", ABSTAIN),
        ("costly_number", "on 08712300220", POSITIVE),
        ("costly_number", "on 88066", POSITIVE),
        ("costly_number", "on 02079460000", ABSTAIN),
        ("costly_number", "on 20345", ABSTAIN),
        ("campaign_phrases", "You have won! Send STOP to stop", POSITIVE),
        ("campaign_phrases", "You have won", ABSTAIN),
        ("number_of_a_company", "ring 09061701461", POSITIVE),
        ("number_of_a_company", "ring 08001111111", POSITIVE),
        ("number_of_a_company", "ring 07700900123", ABSTAIN),
        ("number_of_a_company", "ring 00000000000", ABSTAIN),
        ("sells_happily", "congratulations, you win a great holiday, ring 0207", POSITIVE),
        ("sells_happily", "congratulations on a great holiday", ABSTAIN),
        ("adult_words", "hot girls", POSITIVE),
        ("adult_offer", "sexy babes on 69698", POSITIVE),
        ("notice_of_a_service", "Your next video will be sent in a moment", POSITIVE),
        ("notice_of_a_service", "i have sent you the message now", ABSTAIN),
        ("complains", "i hate this awful weather", NEGATIVE),
        ("short", "see you", NEGATIVE),
        ("short", "ring 08712300220", ABSTAIN),
        ("nothing_to_sell", "it takes 20 minutes", NEGATIVE),
        ("nothing_to_sell", "room 101", ABSTAIN),
        ("nothing_to_sell", "your ringtone", ABSTAIN),
        ("about_people", "tell him i called", NEGATIVE),
        ("about_people", "call me, i am on 69866", ABSTAIN),
        ("smiley", "great ;)", NEGATIVE),
        ("smiley", "http://a.b", ABSTAIN),
        ("trails_off", "well...", NEGATIVE),
    ],
)
def test_rule(function: str, text: str, vote: int) -> None:
    assert FUNCTIONS[function](row(text)) == vote


@pytest.mark.parametrize("text", [None, "   ", "你好 ☎", "\x00", "+44", "0" * 400])
def test_odd_texts_are_no_error(text: str | None) -> None:
    assert set(votes(text).values()) <= {NEGATIVE, POSITIVE, ABSTAIN}
    missing = {"text": text, "length": None, "has_link": None, "has_digits": None}
    assert {function(missing) for function in FUNCTIONS.values()} <= {0, 1, -1}


def test_tables_are_whole() -> None:
    ranges = labeling_functions.table("number_ranges.csv")
    assert {range_["kind"] for range_ in ranges} == {
        "premium",
        "service",
        "freephone",
        "short_code",
    }
    assert all(range_["prefix"].isdigit() and range_["meaning"] for range_ in ranges)
    phrases = [row["phrase"] for row in labeling_functions.table("spam_phrases.csv")]
    assert len(phrases) == len(set(phrases))
    assert all(phrase == phrase.lower().strip() for phrase in phrases)
