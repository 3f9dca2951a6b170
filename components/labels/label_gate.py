"""LabelGate: stops the run before anything is trained on labels that miss a bound.

In: the label report. Out: `gates`, a row for each bound of `labeling.gates`.
Fails with InputError when a bound is missed; the message names the metric, the groups, the value,
the bound and how to change it. Where all labels are true ones (labeling.mode=gold) there is nothing
to judge and `gates` is empty.
"""

import json
from pathlib import Path

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component

from components.artifacts import GateReport, LabelReport
from core.errors import InputError
from core.names import LABEL_GATES, LABEL_REPORT
from core.sections.labeling import LabelGates
from models.labels.gates import describe_missed, judge
from models.metrics.gates import Gate, write_gates


def check(gates: list[Gate]) -> None:
    """Raises InputError when a bound is missed."""
    missed = sum(not gate.passed for gate in gates)
    if missed:
        head = f"labels miss {missed} of {len(gates)} bounds; nothing was trained:"
        raise InputError("\n".join([head, *describe_missed(gates)]))


@component
def LabelGate(  # noqa: N802 - TFX takes the node's id from the name
    label_report: InputArtifact[LabelReport],
    gates: OutputArtifact[GateReport],
    bounds: Parameter[str],
    code_sha256: Parameter[str],
) -> None:
    """Judges the labels by `bounds`, JSON of `labeling.gates`; see the module's docstring."""
    report = json.loads(Path(label_report.uri, LABEL_REPORT.file).read_text(encoding="utf-8"))
    judged = judge(report, LabelGates.model_validate_json(bounds))
    check(judged)
    write_gates(Path(gates.uri, LABEL_GATES.file), judged)
