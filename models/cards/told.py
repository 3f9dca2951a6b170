"""What a card is told besides what nodes reported: parts of the configuration."""

from core.sections.columns import ColumnsSection
from core.sections.evaluation import Slicing
from core.sections.explaining import CardsSection
from core.sections.section import Section, Text


class CardSettings(Section):
    """What ModelCard goes by; `name` is the pipeline's."""

    name: Text
    columns: ColumnsSection
    evaluation: Slicing
    cards: CardsSection
