"""The groups of a column, or of several together: pictures of each metric with intervals."""

from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import Markup

from models.metrics.gates import OVERALL
from pipeline.report.page import html, specs
from pipeline.report.page.groups import SliceGroups, figure, labels_of, points
from pipeline.report.page.score_counts import counts_of
from pipeline.report.summary import MeasuredModel

_OF_TWO = {
    "accuracy": "accuracy",
    "tpr": "true positive rate",
    "fpr": "false positive rate",
    "selection_rate": "selection rate",
}
_OF_MANY = {"accuracy": "accuracy", "macro_f1": "macro F1"}
_MOST_CLASSES = 12
Models = Mapping[str, MeasuredModel]


def by_columns(
    found: Models, groups: SliceGroups, element: str, charts: dict[str, specs.Spec], is_open: bool
) -> Markup:
    """The groups of a column, or of several together: pictures, and the same as a table."""
    many = any("macro_f1" in model.metrics for model in found.values())
    made = []
    for metric, heading in (_OF_MANY if many else _OF_TWO).items():
        drawn = list(points(found, groups, metric))
        if not drawn:
            continue
        name = f"{element}-{metric}"
        charts[name] = specs.dots(drawn, [*found], heading, list(_overall(found, metric)))
        label = f"{heading.capitalize()} by {groups.title} with 95% intervals"
        made.append(html.chart(name, label, "", specs.height(len(groups.shown), len(found))))
    if many:
        made += _heat_maps(found, groups, element, charts)
    pieces = [
        specs.grid(made),
        html.paragraph(groups.said, "hint") if groups.said else None,
        html.fold("The same as a table", _table(found, groups, many)),
    ]
    return html.fold(f"By {groups.title}", html.join(pieces), is_open)


def _overall(found: Models, metric: str) -> Iterator[dict[str, Any]]:
    for target, model in found.items():
        value = model.metrics.get(metric)
        if value is None and (counts := counts_of(model).get(OVERALL)) is not None:
            value = counts.at(len(counts.negative) // 2).get(metric)
        if value is not None:
            yield {"target": target, "value": value}


def _classes(model: MeasuredModel) -> list[str]:
    """The classes that have most rows, of more than two."""
    seen = model.evidence.get(OVERALL)
    by_class = (seen.by_class if seen else None) or {}
    return sorted(by_class, key=lambda name: -by_class[name])[:_MOST_CLASSES]


def _heat_maps(
    found: Models, groups: SliceGroups, element: str, charts: dict[str, specs.Spec]
) -> Iterator[Markup]:
    """Recall of each of more than two classes by group, a picture for each target."""
    called = labels_of(groups.shown)
    for place, (target, model) in enumerate(found.items()):
        cells = [
            {"group": called[group.name], "class": name, "value": value}
            for group in groups.shown
            for name in _classes(model)
            if (value := model.slices.get(group.name, {}).get(f"recall[{name}]")) is not None
        ]
        if not cells:
            continue
        name = f"{element}-recall-{place}"
        charts[name] = specs.heat_map(cells, f"{target}: recall of each class", "class")
        label = f"Recall of each class by {groups.title}, {target}"
        yield html.chart(name, label, "", 24 * len(groups.shown) + 90)


def _table(found: Models, groups: SliceGroups, many: bool) -> Markup:
    headings = dict(_OF_MANY if many else _OF_TWO)
    if many:
        model = next(iter(found.values()))
        headings |= {f"recall[{name}]": f"recall of {name}" for name in _classes(model)}
    columns = [
        "group", "rows",
        *(f"{heading}, {target}" for heading in headings.values() for target in found),
    ]  # fmt: skip
    rows = [
        [
            group.label,
            html.count(group.rows),
            *(
                html.with_interval(*figure(model, group.name, metric))
                for metric in headings
                for model in found.values()
            ),
        ]
        for group in groups.shown
    ]
    return html.table(f"By {groups.title}, with 95% intervals", columns, rows, columns[1:])
