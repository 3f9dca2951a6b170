"""The variants of the models, and which of them ships."""

from typing import Annotated, Literal

from pydantic import Field

from core.sections.section import Count, Section, Share

EdgeVariant = Literal[
    "student",
    "student_float16",
    "student_dynamic_int8",
    "student_int8",
    "student_int8_inputs",
]
ServerVariant = Literal["teacher", "teacher_pruned"]


class Conversion(Section):
    """How the student becomes TFLite variants."""

    calibration_rows: Count
    max_difference: Annotated[float, Field(gt=0, le=1)]


class QuantizerSection(Conversion):
    """The TFLite variants of the student, and which of them ships."""

    variant: Literal[EdgeVariant, "auto"]


class Limits(Section):
    """What a variant keeps to that ships, on the eval rows; null: no limit."""

    max_auc_loss: Share | None
    max_gap_growth: Share | None
    max_bytes: Count | None
    max_latency_us: Annotated[float, Field(gt=0)] | None
    prefer: Literal["bytes", "latency", "quality"]


class ServerSelection(Limits):
    """Which of the teachers ships."""

    variant: Literal[ServerVariant, "auto"]


class SelectionSection(Section):
    """Which variant of the model each target ships."""

    server: ServerSelection
    edge: Limits

    def limits_of(self, target: str) -> Limits:
        """Those of a target of core/targets.py."""
        limits: Limits = getattr(self, target)
        return limits
