"""What a card is told besides what nodes reported: parts of the configuration."""

from core.sections import CardsSection, ColumnsSection, Section, Slicing, Text


class CardSettings(Section):
    """What ModelCard goes by; `name` is the pipeline's."""

    name: Text
    columns: ColumnsSection
    evaluation: Slicing
    cards: CardsSection
