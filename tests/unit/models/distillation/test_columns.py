"""Where each column stands in the model inputs."""

from models.columns.date_formats import date_column
from models.distillation.columns import ColumnPlaces, places_of
from models.network.layout import HashedLayout, Layout, TextLayout
from models.network.preprocessing import ModelInputs

LAYOUT = Layout(
    numeric=("age", "hours"),
    categorical=(("sex", ("f", "m")),),
    buckets=4,
    text=TextLayout(("title", "body"), 10, 3, 1),
    dates=(date_column("since", "%Y-%m-%d", "UTC"),),
    hashed=HashedLayout(("town",), 5, 2),
)
PARTS = len(LAYOUT.dates[0].parts)
INPUTS = ModelInputs(3, LAYOUT.categories, 50, text=2, tokens=3, token_ids=12)


def test_every_value_belongs_to_one_column() -> None:
    places = places_of(LAYOUT, INPUTS)
    assert len(places) == len(LAYOUT.columns)
    for name, width in (("numeric", 3), ("categorical", LAYOUT.categories), ("tokens", 6)):
        taken = [place for column in places for place in getattr(column, name)]
        assert sorted(taken) == list(range(width))


def test_what_is_made_of_a_column_stands_together() -> None:
    places = dict(zip(LAYOUT.columns, places_of(LAYOUT, INPUTS), strict=True))
    assert places["hours"] == ColumnPlaces((1,), (1,))
    assert places["sex"] == ColumnPlaces(categorical=(3,))
    since = places["since"]
    assert since.numeric == (2,)
    assert since.categorical == (2, *range(4, 4 + PARTS))
    assert places["town"] == ColumnPlaces(categorical=(4 + PARTS,))
    assert places["body"] == ColumnPlaces(tokens=(3, 4, 5))


def test_a_number_may_have_several_values() -> None:
    twice = ModelInputs(6, LAYOUT.categories, 50, text=2, tokens=3, token_ids=12)
    assert places_of(LAYOUT, twice)[1].numeric == (1, 4)


def test_the_place_that_stands_for_no_number_belongs_to_no_column() -> None:
    layout = Layout(numeric=(), categorical=(("sex", ("f", "m")),), buckets=4, text=None)
    assert places_of(layout, ModelInputs(1, 1, 4)) == (ColumnPlaces(categorical=(0,)),)
