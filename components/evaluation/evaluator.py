"""The stock Evaluator, run anew when the code it is extended with changes.

TFX records only the name of the module with the extractors (`module_path`): after an edit of it,
the cache would hand out the evaluation that the code before made.

In and out: as TFX's Evaluator.
"""

from typing import Any

from tfx.components.evaluator import component


class Evaluator(component.Evaluator):
    """TFX's Evaluator with one more execution property.

    Args:
      code_sha256: Tells runs of different code apart.
      arguments: TFX's own.
    """

    def __init__(self, *, code_sha256: str, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.spec.exec_properties["code_sha256"] = code_sha256
