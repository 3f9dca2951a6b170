"""How the models were made: curves of training."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from core.names import DISTILLATION_REPORT, TRAINING_REPORT
from pipeline.report.page import html
from pipeline.report.page.part import Part, RunRecord

_CURVE = "training-"
_LOSSES = {"loss": "training rows", "val_loss": "evaluation rows"}
_STEPS = (
    ("history", "training"),
    ("pruning_history", "pruning"),
    ("quantization_history", "rounded to 8 bits"),
)


def training(record: RunRecord) -> Part | None:
    """How teacher and student were trained and pruned, epoch by epoch."""
    networks = {
        name: found
        for name, report in (("teacher", TRAINING_REPORT), ("student", DISTILLATION_REPORT))
        if (found := record.report(report))
    }
    if not networks:
        return None
    points = [p for name, found in networks.items() for p in curve_points(name, found)]
    pieces: list[html.Text | None] = [_start(record), _hyperparameters(networks)]
    charts = {f"{_CURVE}{name}": curve_spec(name, points) for name in networks if points}
    for element in charts:
        label = f"Loss of the {element.removeprefix(_CURVE)} by epoch"
        pieces.append(html.chart(element, label, "", 240))
    if points:
        said = (
            "Dashed: while pruned; dotted: with numbers rounded to 8 bits. Teacher and student "
            "minimise different losses: compare the shape of their curves, not their height."
        )
        if saw_all_rows(networks.get("teacher", {})):
            said += (
                " In the end the teacher was trained anew and pruned on all rows "
                "(trainer.all_rows, and where there are categories of many values): none is left "
                "to evaluate it on."
            )
        pieces.append(html.paragraph(said, "hint"))
        pieces.append(html.fold("The losses as a table", losses_table(points)))
    return Part("training", "Training", html.join(pieces), charts)


def saw_all_rows(teacher: Mapping[str, Any]) -> bool:
    """Whether it was pruned on the evaluation rows, too, so that these have no loss."""
    history = teacher.get("pruning_history") or {}
    return bool(history.get("loss")) and history.get("val_loss") == []


def _start(record: RunRecord) -> Markup | None:
    found = record.summary.training
    if found is None:
        return None
    if found.start == "warm":
        text = f"The teacher started from the weights of run {found.from_run or 'unknown'}"
        if found.new_rows is not None:
            text += f"; {found.new_rows:.1%} of the embedding rows are new"
    else:
        text = f"The teacher started anew: {found.reason}"
    return html.paragraph(f"{text}.", "lead")


def _hyperparameters(networks: Mapping[str, Mapping[str, Any]]) -> Markup:
    values: Mapping[str, Any] = networks.get("teacher", {}).get("hyperparameters") or {}
    facts: list[tuple[html.Text, html.Text | None]] = [
        (f"teacher: {name}", _shown(value)) for name, value in values.items()
    ]
    for name, found in networks.items():
        epochs = len((found.get("history") or {}).get("loss") or [])
        facts.append((f"{name}: epochs", str(epochs) if epochs else None))
        facts.append((f"{name}: weights that are 0", html.percent(found.get("sparsity"))))
        for kind, count in (found.get("rows") or {}).items():
            facts.append((f"{name}: rows {kind}", html.count(count)))
    return html.facts(facts)


def _setting(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else _setting(value)


def curve_points(network: str, found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A point for each epoch and kind of rows, those without a number left out."""
    epoch = 0
    for key, step in _STEPS:
        history: Mapping[str, Sequence[float | None]] = found.get(key) or {}
        length = max((len(values) for values in history.values()), default=0)
        for name, rows in _LOSSES.items():
            for place, value in enumerate(history.get(name) or ()):
                if value is not None:
                    yield {
                        "network": network,
                        "step": step,
                        "rows": rows,
                        "epoch": epoch + place + 1,
                        "loss": value,
                    }
        epoch += length


def curve_spec(
    network: str, points: Sequence[Mapping[str, Any]], series: str = "rows"
) -> dict[str, Any]:
    """The curves of a network; `series` is told apart by colours."""
    shared = {
        "x": {
            "field": "epoch",
            "type": "quantitative",
            "axis": {"tickMinStep": 1, "format": "d"},
            "scale": {"nice": False, "zero": False},
            "title": "epoch",
        },
        "y": {
            "field": "loss",
            "type": "quantitative",
            "scale": {"zero": False},
            "title": "loss",
        },
        "color": {"field": series, "type": "nominal", "sort": None},
        "strokeDash": {
            "field": "step",
            "type": "nominal",
            "sort": None,
            "scale": {"domain": [step for _, step in _STEPS], "range": [[1, 0], [4, 3], [1, 2]]},
            "legend": None,
        },
    }
    tooltip = [{"field": name} for name in ("network", "step", "rows", "epoch")]
    return {
        "title": network,
        "width": "container",
        "height": 170,
        "data": {"values": [point for point in points if point["network"] == network]},
        "mark": {"type": "line", "point": {"size": 24}},
        "encoding": {**shared, "tooltip": [*tooltip, {"field": "loss", "format": ".4f"}]},
    }


def losses_table(points: Sequence[Mapping[str, Any]]) -> Markup:
    """The points as a table, an epoch a row."""
    by_epoch: dict[tuple[str, str, int], dict[str, float]] = {}
    for point in points:
        key = (point["network"], point["step"], point["epoch"])
        by_epoch.setdefault(key, {})[point["rows"]] = point["loss"]
    rows = [
        [network, step, str(epoch), *(html.number(found.get(name)) for name in _LOSSES.values())]
        for (network, step, epoch), found in by_epoch.items()
    ]
    columns = ("network", "step", "epoch", *_LOSSES.values())
    return html.table("Loss by epoch", columns, rows, columns[2:])
