"""The picture of a lineage: what stands where, and what leads past what."""

import re
from pathlib import Path

import pytest

from core.errors import InputError
from pipeline.metadata.executions import RAW_FILE, STAGING, Artifact, Execution
from pipeline.metadata.graph import Graph
from pipeline.metadata.lineage import Lineage, LineageModel
from pipeline.metadata.lineage_picture import draw

RAW = Artifact(1, RAW_FILE, "/raw/a&b.csv", {"part": "span-1", "sha256": "0123456789abcdef"})
DATA, GRAPH, MODEL, PUSHED = (Artifact(number, "X", str(number), {}) for number in range(2, 6))
EXECUTIONS = [
    Execution(1, STAGING, "COMPLETE", 1.0, {"data": [DATA]}, {"raw_files": [RAW]}),
    Execution(2, "Transform", "COMPLETE", 1.0, {"graph": [GRAPH]}, {"data": [DATA]}, "run"),
    Execution(3, "Trainer", "COMPLETE", 1.0, {"model": [MODEL]}, {"graph": [GRAPH]}, "run"),
    Execution(
        4, "Pusher.server", "COMPLETE", 1.0, {"pushed": [PUSHED]},
        {"model": [MODEL], "graph": [GRAPH]}, "run",
    ),
]  # fmt: skip


@pytest.fixture
def lineage() -> tuple[Graph, list[Lineage]]:
    graph = Graph(EXECUTIONS, {"run": {}})
    return graph, [Lineage(LineageModel("server", "run", PUSHED, None), graph.upstream([PUSHED]))]


def test_each_box_is_below_what_it_comes_from(
    lineage: tuple[Graph, list[Lineage]], tmp_path: Path
) -> None:
    picture = draw(*lineage, str(tmp_path / "lineage.svg")).read_text()
    titles = re.findall(r'y="([\d.]+)" font-size="13" font-weight="bold">([^<]+)', picture)
    height = {title: float(y) for y, title in titles}
    names = ["span-1/a&amp;b.csv", STAGING, "Transform", "Trainer", "Pusher.server", "server model"]
    assert sorted(height, key=height.__getitem__) == names
    assert len(set(height.values())) == len(names)
    # Five arrows from box to box, and one from Transform past the Trainer, in two pieces.
    assert picture.count("url(#head)") == 6
    assert picture.count("<path d=") - picture.count('<path d="M0') == 7
    assert "not pushed" in picture
    assert "sha256 0123456789ab" in picture


@pytest.mark.parametrize(
    ("file", "message"),
    [("lineage.gif", "give a file that ends in"), ("nowhere/lineage.svg", "there is no folder")],
)
def test_what_cannot_be_drawn_is_told(
    lineage: tuple[Graph, list[Lineage]], tmp_path: Path, file: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        draw(*lineage, str(tmp_path / file))
    with pytest.raises(InputError, match="there is no model to draw"):
        draw(lineage[0], [], str(tmp_path / "lineage.svg"))
