"""A table with a column of every kind."""

import numpy as np

from models.columns.date_formats import date_column
from models.network.layout import HashedLayout, Layout, TextLayout

LAYOUT = Layout(
    numeric=("size",),
    categorical=(("colour", ("red", "blue")),),
    buckets=8,
    text=TextLayout(("words",), 100, 8, 2),
    dates=(date_column("day", "%Y-%m-%d", "UTC"),),
    hashed=HashedLayout(("code",), 10, 4),
)


def columns(count: int, seed: int = 0, codes: int = 60) -> dict[str, np.ndarray]:
    """Values by column; `code` has `codes` of them."""
    draw = np.random.default_rng(seed)
    size = draw.normal(size=count).astype(np.float32)
    size[::7] = np.nan
    return {
        "size": size,
        "colour": draw.choice(np.array(["red", "blue", ""], object), count),
        "words": draw.choice(np.array(["free prize", "see you", "", "<b>ähm</b>"], object), count),
        "day": draw.choice(np.array(["2024-02-29", "2023-06-01", "no date"], object), count),
        "code": draw.choice(np.array([f"c{n}" for n in range(codes)], object), count),
    }
