"""Draws lineages: a box for each step, raw files on top, models at the bottom."""

from collections.abc import Sequence
from pathlib import Path

import altair as alt

from core.errors import InputError
from pipeline.metadata.data_record import RAW_FILE
from pipeline.metadata.graph import Graph, Step
from pipeline.metadata.lineage import Lineage, facts
from pipeline.metadata.lineage_report import SHORT

FORMATS = (".svg", ".png", ".html")
COLUMN, ROW = 210, 78  # pixels between the middles of boxes
LANE = 26  # pixels for an arrow that passes a layer
BOX = (190, 46)
SWEEPS = 8  # of ordering boxes by what they are tied to
COLORS = {"data": "#f2e6c9", "node": "#dbe7f3", "model": "#d5ecd4"}


class Drawing:
    """Boxes by name: two lines of text, kind, layer; and the arrows between them."""

    def __init__(self) -> None:
        self.boxes: dict[str, tuple[str, str, str]] = {}
        self.arrows: set[tuple[str, str]] = set()
        self.lines: set[tuple[str, str]] = set()  # pieces of arrows, from layer to layer

    def layers(self) -> list[list[str]]:
        """Boxes by layer, each below all that it comes from, ordered so that few arrows cross."""
        depth: dict[str, int] = {}

        def depth_of(box: str) -> int:
            if box not in depth:
                depth[box] = 1 + max((depth_of(a) for a, b in self.arrows if b == box), default=-1)
            return depth[box]

        # A source stands right above the first box that it goes into.
        for box in self.boxes:
            depth_of(box)
        for box in self.boxes:
            if depth[box] == 0 and (below := [depth[b] for a, b in self.arrows if a == box]):
                depth[box] = min(below) - 1
        rows: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
        for box in self.boxes:
            rows[depth[box]].append(box)
        self._make_lanes(rows, depth)
        for _ in range(SWEEPS):
            places = {box: p - len(row) / 2 for row in rows for p, box in enumerate(row)}
            for row in rows:
                row.sort(key=lambda box: self._middle(box, places))
        return [row for row in rows if row]

    def _make_lanes(self, rows: list[list[str]], depth: dict[str, int]) -> None:
        """Leads arrows past the layers that they cross: one lane for all arrows of a box."""
        for start, end in sorted(self.arrows):
            above = start
            for layer in range(depth[start] + 1, depth[end]):
                lane = f"{start} in layer {layer}"
                if lane not in rows[layer]:
                    rows[layer].append(lane)
                self.lines.add((above, lane))
                above = lane
            self.lines.add((above, end))

    def _middle(self, box: str, places: dict[str, float]) -> float:
        tied = [places[b if a == box else a] for a, b in self.lines if box in (a, b)]
        return sum(tied) / len(tied) if tied else 0.0


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
    scratch = path.with_name(f".{path.stem}.partial{path.suffix}")
    try:
        _chart(_drawing(graph, lineages)).save(str(scratch), scale_factor=2)
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
    return path


def _drawing(graph: Graph, lineages: Sequence[Lineage]) -> Drawing:
    drawing = Drawing()
    for lineage in lineages:
        for step in lineage.steps:
            drawing.boxes[_box(step)] = (step.node, _second_line(step), "node")
            for _, item in graph.inputs(step):
                maker = graph.maker(item.id)
                if item.type_name == RAW_FILE:
                    name = f"file {item.id}"
                    line = f"sha256 {str(item.properties['sha256'])[:SHORT]}"
                    title = f"{item.properties['part']}/{Path(item.uri).name}"
                    drawing.boxes[name] = (title, line, "data")
                    drawing.arrows.add((name, _box(step)))
                elif maker is not None:
                    drawing.arrows.add((_box(maker), _box(step)))
        model = lineage.model
        name = f"model {model.pushed.id}"
        version = model.version
        text = f"{version.version}, {version.status}" if version else "not pushed"
        drawing.boxes[name] = (f"{model.target} model", text, "model")
        if maker := graph.maker(model.pushed.id):
            drawing.arrows.add((_box(maker), name))
    return drawing


def _box(step: Step) -> str:
    return f"step {step.id}"


def _second_line(step: Step) -> str:
    code = str(facts(step).get("code_sha256", ""))[:SHORT]
    return f"code {code}" if code else step.run_id or "raw files to splits"


def _chart(drawing: Drawing) -> alt.LayerChart:
    rows = drawing.layers()
    widths = [[COLUMN if box in drawing.boxes else LANE for box in row] for row in rows]
    width = max(sum(row) for row in widths)
    at = {
        box: ((width - sum(taken)) / 2 + sum(taken[:place]) + taken[place] / 2, ROW * (layer + 0.5))
        for layer, (row, taken) in enumerate(zip(rows, widths, strict=True))
        for place, box in enumerate(row)
    }
    half = BOX[1] / 2
    boxes = [
        {"x": at[box][0], "y": at[box][1], "title": title, "line": line, "kind": kind,
         "left": at[box][0] - BOX[0] / 2, "right": at[box][0] + BOX[0] / 2,
         "top": at[box][1] - BOX[1] / 2, "bottom": at[box][1] + BOX[1] / 2}
        for box, (title, line, kind) in drawing.boxes.items()
    ]  # fmt: skip
    pieces = [
        {"x": at[a][0], "y": at[a][1] + half, "x2": at[b][0], "y2": at[b][1] - half,
         "ends": b in drawing.boxes}
        for a, b in sorted(drawing.lines)
    ]  # fmt: skip
    pieces += [
        {"x": x, "y": y - half, "x2": x, "y2": y + half, "ends": False}
        for box, (x, y) in at.items()
        if box not in drawing.boxes
    ]
    height = ROW * len(rows)
    x_scale, y_scale = alt.Scale(domain=[0, width]), alt.Scale(domain=[height, 0])

    def across(field: str) -> alt.X:
        return alt.X(f"{field}:Q", scale=x_scale, axis=None)

    def down(field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", scale=y_scale, axis=None)

    lines = (
        alt.Chart(alt.InlineData(pieces))
        .mark_rule(color="#8896a5", strokeWidth=1.2)
        .encode(x=across("x"), y=down("y"), x2="x2:Q", y2="y2:Q")
    )
    heads = (
        alt.Chart(alt.InlineData(pieces))
        .mark_point(shape="triangle-down", size=40, filled=True, color="#8896a5", opacity=1)
        .encode(x=across("x2"), y=down("y2"))
        .transform_filter("datum.ends")
    )
    base = alt.Chart(alt.InlineData(boxes))
    kinds = alt.Scale(domain=list(COLORS), range=list(COLORS.values()))
    frames = base.mark_rect(stroke="#5b6b7b", cornerRadius=5).encode(
        x=across("left"), x2="right:Q", y=down("top"), y2="bottom:Q",
        color=alt.Color("kind:N", scale=kinds, legend=None),
    )  # fmt: skip
    titles = base.mark_text(fontSize=13, fontWeight="bold", dy=-8).encode(
        x=across("x"), y=down("y"), text="title:N"
    )
    details = base.mark_text(fontSize=11, dy=10, color="#44505c").encode(
        x=across("x"), y=down("y"), text="line:N"
    )
    layered = alt.layer(lines, heads, frames, titles, details)
    return layered.properties(width=width, height=height).configure_view(stroke=None)
