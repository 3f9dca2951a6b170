"""Where labels come from, and what they have to keep to."""

from typing import Annotated, Literal

from pydantic import Field

from core.sections.section import Count, LearningRate, Section, Share, Text


class LabelGates(Section):
    """What labels have to keep to before anything is trained on them; null: no bound."""

    min_coverage: Share | None
    min_accuracy: Share | None
    max_conflict: Share | None
    max_coverage_gap: Share | None
    max_error_gap: Share | None
    min_group_rows: Count
    min_group_gold_rows: Count


class LabelTuning(Section):
    """Values tried in training Snorkel's label model, besides its defaults."""

    learning_rate: tuple[LearningRate, ...]
    l2: tuple[Annotated[float, Field(ge=0, le=100)], ...]
    epochs: tuple[Count, ...]
    prec_init: tuple[Annotated[float, Field(gt=0, lt=1)], ...]


class LabelSource(Section):
    """Whether labels are true or made."""

    mode: Literal["weak", "gold"]


class LabelFitting(Section):
    """Which method makes labels of votes, and how Snorkel's label model is trained."""

    method: Literal[
        "auto", "average", "combiner", "label_model", "majority_vote", "votes_and_columns"
    ]
    epochs: Count
    tuning: LabelTuning


class Labeler(LabelSource, LabelFitting):
    """From labelling functions and a budget of true labels to labels."""

    functions: Text | None
    gold_rows: Annotated[int, Field(ge=0)]
    gold_of_class: Annotated[int, Field(ge=0)]
    gold_choice: Literal["random", "informative"]
    random_share: Share
    gold_weight: Annotated[float, Field(ge=0, le=1e6)]
    even_errors: Share
    uncovered: Literal["distill", "drop", "prior"]

    @property
    def random_rows(self) -> int:
        """How many rows of the gold budget are drawn at random."""
        if self.gold_choice == "random":
            return self.gold_rows
        return round(self.gold_rows * self.random_share)


class LabelingSection(Labeler):
    """Where labels come from."""

    gates: LabelGates
