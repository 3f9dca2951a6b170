"""The parts of a run's report, and of two runs side by side, in the order of the page."""

from pipeline.report.page.against import process, results
from pipeline.report.page.part import ComparePart, MakePart
from pipeline.report.page.parts.gates import gates
from pipeline.report.page.parts.models import models
from pipeline.report.page.parts.origin.cards import cards
from pipeline.report.page.parts.origin.configuration import again, configuration
from pipeline.report.page.parts.origin.lineage import lineage
from pipeline.report.page.parts.outcome import outcome
from pipeline.report.page.parts.process.data import anomalies, data
from pipeline.report.page.parts.process.features import features
from pipeline.report.page.parts.process.labels import labels
from pipeline.report.page.parts.process.learning import training
from pipeline.report.page.parts.process.nodes import nodes
from pipeline.report.page.parts.process.trials import trials
from pipeline.report.page.parts.quality.attributions import attributions
from pipeline.report.page.parts.quality.calibration import calibration
from pipeline.report.page.parts.quality.choices import choices
from pipeline.report.page.parts.quality.explorer import explorer
from pipeline.report.page.parts.quality.fairness import fairness
from pipeline.report.page.parts.quality.variants import variants
from pipeline.report.page.parts.served.monitoring import monitoring

PARTS: tuple[MakePart, ...] = (
    outcome,
    models,
    gates,
    nodes,
    data,
    anomalies,
    labels,
    features,
    trials,
    training,
    fairness,
    explorer,
    calibration,
    choices,
    variants,
    attributions,
    monitoring,
    cards,
    lineage,
    configuration,
    again,
)

COMPARED: tuple[ComparePart, ...] = (
    results.outcome,
    results.models,
    results.gates,
    process.data,
    process.labels,
    process.features,
    process.training,
    process.nodes,
    process.configuration,
)
