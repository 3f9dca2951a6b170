"""What happened to a pushed version, as its record beside the card says: the part that changes."""

from core.version_record import RECORD_FILE, VersionRecord
from models.cards.document import Claim, Grid, History, Line, Listing, Pointer

_TEXTS = ("what", "at", "by", "reason")


def history_of(record: tuple[int, VersionRecord] | None) -> History:
    """The history.

    Args:
      record: Number and record of the version; None before it is pushed.
    """
    if record is None:
        return History(
            Listing([]), Listing([("This card was made before its model was pushed, if it was.",)])
        )
    number, found = record
    before: list[Line] = [
        (
            "Version ",
            _claim(str(number)),
            f"; what is said here stands in {RECORD_FILE} beside it.",
        ),
        ("Pushed ", _claim(found.pushed_at, "pushed_at")),
        ("By the run ", _claim(found.run_id, "run_id")),
        ("SHA-256 of the model's content: ", _claim(found.model_sha256, "model_sha256")),
    ]
    rows = []
    for place, event in enumerate(found.events):
        cells = [(_claim(str(getattr(event, key)), "events", place, key),) for key in _TEXTS]
        rows.append((*cells, (_claim(str(event.live), "events", place, "live"),)))
    if not rows:
        return History(Listing([("It was never rolled back.",)]), Listing(before))
    head: list[Line] = [("what",), ("when",), ("by whom",), ("why",), ("live since",)]
    return History(Grid("", head, rows), Listing(before))


def _claim(text: str, *path: str | int) -> Claim:
    return Claim(text or "not recorded", Pointer("", RECORD_FILE, path), text)
