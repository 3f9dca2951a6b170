"""The parts of a run's report, in the order of the page."""

from pipeline.report.page.part import MakePart
from pipeline.report.page.parts.gates import gates
from pipeline.report.page.parts.models import models
from pipeline.report.page.parts.outcome import outcome

PARTS: tuple[MakePart, ...] = (
    outcome,
    models,
    gates,
)
