"""The data of a run: rows, spans, columns with their distributions, drift, anomalies."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from google.protobuf.message import DecodeError
from markupsafe import Markup
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2

from core.contract import read_schema
from core.errors import InputError
from core.names import ANOMALY_REPORT, SPLITS
from pipeline.metadata.executions import Execution, find
from pipeline.report.page import columns, html
from pipeline.report.page.columns import ColumnStatistics, Distance, Numbers
from pipeline.report.page.part import Part, RunRecord

_MOST_COLUMNS = 200  # that are shown; the page is not to grow without end
_MOST_NAMED = 3  # values in words
_LONGEST = 40  # characters of a value


def data(record: RunRecord) -> Part | None:
    """The part; None of a run that staged nothing."""
    found = record.summary.data
    if not found.rows:
        return None
    now = statistics_of(record.executions)
    then = statistics_of(record.window_before.executions) if record.window_before else {}
    distances = distances_of(now, then, contract_of(record.executions))
    pieces = [
        html.paragraph(_said(record), "lead"),
        _rows(record),
        _spans(record),
        _drift(record, distances),
        columns_table(now, then, distances, "the window before"),
    ]
    return Part("data", "Data", html.join(pieces))


def statistics_of(
    executions: Sequence[Execution], split: str = SPLITS[0]
) -> dict[str, ColumnStatistics]:
    """The columns of a split, by name; none where the statistics are not there, or damaged."""
    artifact = find(executions, "StatisticsGen", "ExampleStatistics")
    if artifact is None:
        return {}
    try:
        return columns.read_columns(Path(artifact.uri, f"Split-{split}", "FeatureStats.pb"))
    except (OSError, DecodeError):
        return {}


def contract_of(executions: Sequence[Execution]) -> dict[str, schema_pb2.Feature]:
    """The features of the contract that a run went by, by name; none where it is not there."""
    artifact = find(executions, "ImportSchemaGen")
    if artifact is None:
        return {}
    try:
        schema = read_schema(Path(artifact.uri, "schema.pbtxt"))
    except (OSError, InputError):
        return {}
    return {feature.name: feature for feature in schema.feature}


def distances_of(
    now: Mapping[str, ColumnStatistics],
    then: Mapping[str, ColumnStatistics],
    contract: Mapping[str, schema_pb2.Feature],
) -> dict[str, Distance]:
    """The distance of each column between two windows, those that can be told."""
    found = {
        name: columns.distance(now[name], then[name], contract.get(name))
        for name in now
        if name in then
    }
    return {name: each for name, each in found.items() if each is not None}


def _said(record: RunRecord) -> str:
    found = record.summary.data
    told = f"{sum(found.rows.values()):,} rows"
    if found.spans:
        few = ", ".join(map(str, found.spans)) if len(found.spans) <= 8 else ""
        between = f"{len(found.spans)} spans from {found.spans[0]} to {found.spans[-1]}"
        told += f" of span{'s' * (len(found.spans) > 1)} {few}" if few else f" of {between}"
    return f"{told}."


def _rows(record: RunRecord) -> Markup:
    found = record.summary.data.rows
    total = sum(found.values()) or 1
    rows = [
        [part, html.count(count), html.share_bar(count / total)] for part, count in found.items()
    ]
    return html.table("Rows by part", ("part", "rows", "share"), rows, ("rows",))


def _spans(record: RunRecord) -> Markup | None:
    found = record.summary.data
    held_back, taken = html.badge("held back", "bad"), html.badge("taken", "warn")
    rows: list[list[html.Text]] = [
        [str(each.span), badge, each.kind, each.message]
        for badge, findings in ((held_back, found.held_back), (taken, found.reported))
        for each in findings
    ]
    columns_shown = ("span", "taken or not", "what", "in words")
    return html.table("What is to be said of spans", columns_shown, rows) if rows else None


def _drift(record: RunRecord, distances: Mapping[str, Distance]) -> Markup:
    before = record.window_before
    if before is None:
        return html.paragraph("There is no earlier run of other data to compare with.", "hint")
    window = f"the window of run {before.summary.run_id}"
    over = [name for name, found in distances.items() if found.exceeded]
    bounded = sum(found.bound is not None for found in distances.values())
    if over:
        verb = "is" if len(over) == 1 else "are"
        text = f"Against {window}, {', '.join(over)} {verb} beyond the bounds of the contract."
    elif bounded:
        text = f"Against {window}, all {bounded} columns with a bound are within it."
    else:
        text = f"Compared with {window}; the contract bounds no drift."
    return html.paragraph(text)


def columns_table(
    now: Mapping[str, ColumnStatistics],
    then: Mapping[str, ColumnStatistics],
    distances: Mapping[str, Distance],
    other: str,
) -> Markup | None:
    """A row for each column.

    Args:
      now: The columns by name.
      then: Those that they are compared with.
      distances: Between the two.
      other: What `then` is, in words.
    """
    if not now:
        return None
    heads = ["column", "missing", "distribution", "in words"]
    if distances:
        heads[3:3] = ["distance", "bound"]
    rows = [
        [
            name,
            html.percent(found.missing),
            columns.picture(found, then.get(name)),
            *(_distance(distances.get(name)) if distances else ()),
            in_words(found),
        ]
        for name, found in list(now.items())[:_MOST_COLUMNS]
    ]
    table = html.table("Columns of the part train", heads, rows, ("missing", "distance", "bound"))
    said = "Values that fewer than ten rows have are not named."
    if then:
        said = f"Bars: this window; the line: {other}. {said}"
    if len(now) > _MOST_COLUMNS:
        said += f" The first {_MOST_COLUMNS} of {len(now)} columns."
    return html.join([table, html.paragraph(said, "hint")])


def _distance(found: Distance | None) -> Iterator[html.Text]:
    if found is None:
        yield from ("", "")
        return
    value = html.number(found.value, ".3f")
    yield html.badge(f"{value} beyond", "bad") if found.exceeded else value
    yield html.number(found.bound, "g")


def in_words(found: ColumnStatistics) -> str:
    """`17 to 90, mean 38.9, median 37`, or the commonest values with their shares."""
    content = found.content
    if content is None:
        return "no values"
    if isinstance(content, Numbers):
        return (
            f"{_figure(content.low)} to {_figure(content.high)}, mean {_figure(content.mean)}, "
            f"median {_figure(content.median)}, standard deviation {_figure(content.spread)}"
        )
    told = [
        f"{value if len(value) <= _LONGEST else value[:_LONGEST] + '…'} {share:.1%}"
        for value, share in list(columns.named(content, found.rows).items())[:_MOST_NAMED]
    ]
    what = f"{content.different:,} value{'s' * (content.different != 1)}"
    if not told:
        return f"{what}, {content.length:.0f} characters on average"
    return f"{what}: {', '.join(told)}{'' if content.different <= len(told) else ', …'}"


def _figure(value: float) -> str:
    """Four digits, or all before the point, their thousands apart."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def anomalies(record: RunRecord) -> Part | None:
    """What of the data breaks the contract; None where that was not looked at."""
    reported = record.report(ANOMALY_REPORT)
    if reported is not None:
        rows = [_anomaly(row) for row in reported]
        said = "Accepted, or below the severity that stops a run." if rows else "None."
    else:
        found = list(_unaccepted(record.executions))
        if not found:
            return None
        rows, said = found, "The run was stopped by these, or by some of them."
    pieces = [html.paragraph(said)]
    if rows:
        heads = ("column", "part", "severity", "rows", "problem", "to mend")
        pieces.append(html.table("Where the data breaks the contract", heads, rows, ("rows",)))
    return Part("anomalies", "Anomalies", html.join(pieces))


def _anomaly(row: Mapping[str, object]) -> list[html.Text]:
    severity = str(row.get("severity"))
    rows = row.get("rows")
    return [
        str(row.get("feature")),
        str(row.get("split")),
        html.badge(severity.lower(), "bad" if severity == "ERROR" else "warn"),
        f"{rows:,} of {row.get('total'):,}" if isinstance(rows, int) else "",
        str(row.get("problem")),
        str(row.get("remedy")),
    ]


def _unaccepted(executions: Sequence[Execution]) -> Iterator[list[html.Text]]:
    """What ExampleValidator found, of a run that AnomalyGate stopped."""
    artifact = find(executions, "ExampleValidator")
    for split in SPLITS if artifact else ():
        path = Path(artifact.uri if artifact else "", f"Split-{split}", "SchemaDiff.pb")
        try:
            found = anomalies_pb2.Anomalies.FromString(path.read_bytes())
        except (OSError, DecodeError):
            continue
        infos = dict(found.anomaly_info)
        if found.HasField("dataset_anomaly_info"):
            infos["(data set)"] = found.dataset_anomaly_info
        for name, info in sorted(infos.items()):
            problem = " ".join(r.description for r in info.reason) or info.description
            severity = anomalies_pb2.AnomalyInfo.Severity.Name(info.severity)
            yield _anomaly(
                {
                    "feature": name,
                    "split": split,
                    "severity": severity,
                    "problem": problem,
                    "remedy": "what the failure above says",
                }
            )
