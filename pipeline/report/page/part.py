"""A part of the report: what it says, its charts, and the values that its script reads."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from markupsafe import Markup

from core.config import Config
from core.names import Report
from pipeline.metadata.executions import Execution
from pipeline.report.findings import read_report
from pipeline.report.summary import Summary


@dataclass(frozen=True)
class RunRecord:
    """What there is of a run, in whatever state it ended.

    Attributes:
      summary: Its summary.
      executions: Of its nodes, from ML Metadata.
      folder: <root>/<name>.
      config: The configuration that it ran with; None where a run of before left none, or one that
        is not of this code.
      settings: The values of that configuration as they were written, whatever code wrote them.
      previous: The run before it.
      window_before: The last run before it that read other data.
    """

    summary: Summary
    executions: Sequence[Execution]
    folder: Path
    config: Config | None
    settings: Mapping[str, Any] | None = None
    previous: "RunRecord | None" = None
    window_before: "RunRecord | None" = None

    def report(self, report: Report) -> Any:
        """What a node reported, JSON with null for what is no number; None where there is none."""
        return read_report(self.executions, report)


@dataclass(frozen=True)
class Part:
    """A section of the page.

    Attributes:
      id: Of its element, by which others link to it.
      title: Its heading.
      html: What is below the heading, made by the functions of pipeline/report/page/html.py. Texts
        of data are escaped.
      charts: Vega-Lite specifications by the id of the element that holds the picture.
      data: What the part's script reads, as JSON, by name; aggregates only.
      script: JavaScript that runs once the page is there; `part` is the section's element, `data`
        is `data`, and `chart(id)` is a promise of the Vega view of a chart.
    """

    id: str
    title: str
    html: Markup
    charts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    script: str = ""


MakePart = Callable[[RunRecord], Part | None]
"""Makes a part of a run's record; None where there is nothing to show."""
ComparePart = Callable[[RunRecord, RunRecord], Part | None]
"""Makes a part of two runs' records; None where there is nothing to compare."""
