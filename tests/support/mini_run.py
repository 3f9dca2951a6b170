"""The command line with the pipeline of mini_dag.py: `python -m tests.support.mini_run run ...`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from core.config import Config
from pipeline.cli.main import main
from pipeline.ingestion.staging import Staged

if TYPE_CHECKING:
    from tfx.orchestration.pipeline import Pipeline


def build(config: Config, staged: Staged, folder: Path) -> "Pipeline":
    """Loads TensorFlow when the run has set it up."""
    from tests.support import mini_dag

    return mini_dag.build(config, staged, folder)


if __name__ == "__main__":
    sys.exit(main(build=build))
