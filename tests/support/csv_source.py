"""A CSV file of three columns, described."""

from core.raw_table import CATEGORY, NUMBER, Column, Label, Source

SOURCE = Source(
    file="raw/data.csv",
    sha256="",
    delimiter=",",
    missing=("NA",),
    columns=(Column("Fare", "fare", NUMBER), Column("City", "city", CATEGORY)),
    label=Label("Paid by", "paid_by", "card", "not card", True),
    test_fraction=0.3,
    seed=1,
)
