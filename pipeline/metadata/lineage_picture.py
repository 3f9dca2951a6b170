"""Draws lineages: a box for each step, raw files on top, models at the bottom."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

import networkx as nx
import vl_convert

from core.errors import InputError
from core.files import write_atomically
from pipeline.metadata.executions import RAW_FILE, Execution
from pipeline.metadata.graph import Graph
from pipeline.metadata.lineage import Lineage, facts
from pipeline.metadata.lineage_report import SHORT
from pipeline.report.layers import Sizes, layout

FORMATS = (".svg", ".png", ".html")
COLUMN, ROW = 210, 78  # pixels between the middles of boxes
LANE = 26  # pixels for an arrow that passes a layer
WIDTH, HEIGHT = 190, 46  # pixels of a box
COLORS = {"data": "#f2e6c9", "node": "#dbe7f3", "model": "#d5ecd4"}
PICTURE = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" \
font-family="sans-serif" text-anchor="middle">
<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" \
orient="auto"><path d="M0,0L8,4L0,8z" fill="#8896a5"/></marker>
<rect width="{width}" height="{height}" fill="white"/>
{shapes}
</svg>
"""
ARROW = '<path d="{path}" fill="none" stroke="#8896a5" stroke-width="1.2"{head}/>'
BOX = """\
<rect x="{left}" y="{top}" width="{width}" height="{height}" rx="5" fill="{color}" \
stroke="#5b6b7b"/>
<text x="{x}" y="{above}" font-size="13" font-weight="bold">{title}</text>
<text x="{x}" y="{below}" font-size="11" fill="#44505c">{line}</text>"""


def draw(graph: Graph, lineages: Sequence[Lineage], file: str) -> Path:
    """Writes a picture and returns its path.

    Raises:
        InputError: the file's ending is no known format, or there is nothing to draw.
    """
    path = Path(file)
    if path.suffix not in FORMATS:
        raise InputError(f"--picture {file}: give a file that ends in {', '.join(FORMATS)}")
    if not lineages:
        raise InputError(f"--picture {file}: there is no model to draw")
    if not path.parent.is_dir():
        raise InputError(f"--picture {file}: there is no folder {path.parent}")
    picture = _picture(_boxes(graph, lineages))
    if path.suffix == ".png":
        write_atomically(path, vl_convert.svg_to_png(picture, scale=2))
    elif path.suffix == ".html":
        write_atomically(path, f'<!doctype html>\n<meta charset="utf-8">\n{picture}')
    else:
        write_atomically(path, picture)
    return path


def _boxes(graph: Graph, lineages: Sequence[Lineage]) -> nx.DiGraph:
    """Boxes, each with two lines of text and a kind, and the arrows between them."""
    boxes = nx.DiGraph()
    for lineage in lineages:
        for step in lineage.steps:
            boxes.add_node(step.id, title=step.node, line=_second_line(step), kind="node")
            for artifact in graph.inputs(step):
                if artifact.type_name == RAW_FILE:
                    name = f"file {artifact.id}"
                    title = f"{artifact.properties['part']}/{Path(artifact.uri).name}"
                    line = f"sha256 {str(artifact.properties['sha256'])[:SHORT]}"
                    boxes.add_node(name, title=title, line=line, kind="data")
                    boxes.add_edge(name, step.id)
                elif maker := graph.maker(artifact):
                    boxes.add_edge(maker.id, step.id)
        model, version = lineage.model, lineage.model.version
        text = f"{version.version}, {version.status}" if version else "not pushed"
        name = f"model {model.pushed.id}"
        boxes.add_node(name, title=f"{model.target} model", line=text, kind="model")
        if maker := graph.maker(model.pushed):
            boxes.add_edge(maker.id, name)
    return boxes


def _second_line(step: Execution) -> str:
    code = str(facts(step).get("code_sha256", ""))[:SHORT]
    return f"code {code}" if code else step.run_id or "raw files to splits"


def _picture(boxes: nx.DiGraph) -> str:
    placed = layout(boxes, Sizes(COLUMN, ROW, LANE, HEIGHT))
    arrows = [
        ARROW.format(path=path, head=' marker-end="url(#head)"' if ends else "")
        for path, ends in placed.arrows
    ]
    shapes = [*arrows, *(_box(*placed.at[box], **boxes.nodes[box]) for box in boxes)]
    return PICTURE.format(width=placed.width, height=placed.height, shapes="\n".join(shapes))


def _box(x: float, y: float, title: str, line: str, kind: str) -> str:
    return BOX.format(
        left=x - WIDTH / 2, top=y - HEIGHT / 2, width=WIDTH, height=HEIGHT, color=COLORS[kind],
        x=x, above=y - 4, below=y + 14, title=escape(title), line=escape(line),
    )  # fmt: skip
