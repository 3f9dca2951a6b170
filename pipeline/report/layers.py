"""Places the boxes of a directed graph in layers, each below all that it comes from."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import fmean

import networkx as nx

SWEEPS = 8  # of ordering boxes by what they are tied to


@dataclass(frozen=True)
class Sizes:
    """Pixels: between the middles of boxes, across and down; of an arrow that passes a layer; of
    the height of a box.
    """

    column: float
    row: float
    lane: float
    height: float


@dataclass(frozen=True)
class Placement:
    """Where boxes are, by their middles, and arrows, by SVG paths; pixels.

    arrows: paths, and whether one ends at a box, not at a piece that goes on from it.
    """

    at: dict[object, tuple[float, float]]
    arrows: list[tuple[str, bool]]
    width: float
    height: float


def layout(boxes: nx.DiGraph, sizes: Sizes) -> Placement:
    """Places boxes so that few arrows cross.

    Args:
        boxes: without a circle.
        sizes: of what is drawn.
    """
    laned = _with_lanes(boxes)
    rows = [
        [(node, sizes.column if node in boxes else sizes.lane) for node in row]
        for row in _ordered(laned)
    ]
    width = max((sum(taken for _, taken in row) for row in rows), default=0)
    at: dict[object, tuple[float, float]] = {}
    for layer, row in enumerate(rows):
        x = (width - sum(taken for _, taken in row)) / 2
        for node, taken in row:
            at[node] = (x + taken / 2, sizes.row * (layer + 0.5))
            x += taken
    arrows = list(_arrows(boxes, laned, at, sizes.height))
    return Placement(at, arrows, width, sizes.row * len(rows))


def _with_lanes(boxes: nx.DiGraph) -> nx.DiGraph:
    """Boxes in layers, each below all that it comes from, and lanes past the layers between them.

    A lane is a node that is no box; all arrows from a box share one.
    """
    layers = enumerate(nx.topological_generations(boxes))
    depth = {box: layer for layer, found in layers for box in found}
    for box in [box for box in boxes if depth[box] == 0 and boxes.succ[box]]:
        depth[box] = min(depth[below] for below in boxes.succ[box]) - 1  # right above its reader
    laned = nx.DiGraph()
    laned.add_nodes_from((box, {"layer": depth[box]}) for box in boxes)
    for start, end in boxes.edges:
        lanes = [(start, layer) for layer in range(depth[start] + 1, depth[end])]
        laned.add_nodes_from((lane, {"layer": lane[1]}) for lane in lanes)
        nx.add_path(laned, [start, *lanes, end])
    return laned


def _ordered(laned: nx.DiGraph) -> list[list[object]]:
    """The nodes of each layer, each near what it is tied to, so that few arrows cross."""
    rows: dict[int, list[object]] = {}
    for node, layer in sorted(laned.nodes(data="layer"), key=lambda found: found[1]):
        rows.setdefault(layer, []).append(node)
    places = {node: p - len(row) / 2 for row in rows.values() for p, node in enumerate(row)}

    def middle(node: object) -> float:
        return fmean([places[tied] for tied in nx.all_neighbors(laned, node)] or [0.0])

    for _ in range(SWEEPS):
        for row in rows.values():
            row.sort(key=middle)
            places |= {node: p - len(row) / 2 for p, node in enumerate(row)}
    return list(rows.values())


def _arrows(
    boxes: nx.DiGraph, laned: nx.DiGraph, at: dict[object, tuple[float, float]], height: float
) -> Iterator[tuple[str, bool]]:
    """Arrows piece by piece: from layer to layer, and straight past a layer."""
    half = height / 2
    for start, end in laned.edges:
        (x, y), (x2, y2) = at[start], at[end]
        y, y2 = y + half, y2 - half
        middle = (y + y2) / 2
        path = f"M{x:g},{y:g}C{x:g},{middle:g},{x2:g},{middle:g},{x2:g},{y2:g}"
        yield (path, True) if end in boxes else (f"{path}v{height:g}", False)
