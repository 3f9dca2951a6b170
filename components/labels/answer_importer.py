"""AnswerImporter: takes the answers of people into the run, so that labels can be traced to them.

In: path of a JSON file, made of its content: answers by row id and the imports they came with. Out:
`answers`, its copy; the imports are a property of the artifact. Fails when the file is not there.
"""

import json
import shutil
from pathlib import Path

from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component

from components.artifacts import Answers
from core.names import ANSWERS_FILE


@component
def AnswerImporter(  # noqa: N802 - TFX takes the node's id from the name
    answers: OutputArtifact[Answers], path: Parameter[str], code_sha256: Parameter[str]
) -> None:
    """Copies the file; see the module's docstring."""
    copy = Path(answers.uri) / ANSWERS_FILE
    shutil.copyfile(path, copy)
    content = json.loads(copy.read_text(encoding="utf-8"))
    answers.set_int_custom_property("rows", len(content["answers"]))
    answers.set_string_custom_property("imports", json.dumps(content["imports"]))
