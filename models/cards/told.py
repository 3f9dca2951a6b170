"""What a card is told besides what nodes reported: parts of the configuration."""

from core.sections import CardsSection, ColumnsSection, Section, Slicing, Text


class CardSettings(Section):
    """What ModelCard goes by.

    Attributes:
      name: The pipeline's.
      variant: The target's model among those that VariantEvaluator measures.
    """

    name: Text
    columns: ColumnsSection
    evaluation: Slicing
    cards: CardsSection
    variant: Text
