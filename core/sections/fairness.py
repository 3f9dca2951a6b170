"""What is done so that groups are treated alike."""

from typing import Annotated, Literal

from pydantic import Field

from core.sections.section import Count, Section, Text

Rate = Literal["tpr", "fpr", "selection_rate"]


class GroupRate(Section):
    """A rate that is to be alike in all groups of a column."""

    column: Text
    rate: Rate


class Mitigation(Section):
    """What is done in training so that a rate is alike in all groups of a column."""

    mitigation: Literal["none", "reweighing", "min_diff", "thresholds"]
    column: Text | None
    rate: Rate
    loss: Literal["rate", "mmd"]
    strength: Annotated[float, Field(gt=0, le=1000)] | Literal["auto"]
    epochs: Count
    min_group_rows: Count


class FairnessSection(Mitigation):
    """Groups between which the models' answers are to be alike, whether they see
    the group, and whether labels are made alike, too.
    """

    reads_column: bool
    labels: Literal["none", "by_group"]

    @property
    def of_labels(self) -> GroupRate | None:
        """The rate of labels that is made alike; None: none is."""
        if self.labels == "none" or self.column is None:
            return None
        return GroupRate(column=self.column, rate=self.rate)
