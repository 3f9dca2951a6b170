"""Files of one split of an Examples artifact."""

import os

from tfx.types import artifact_utils
from tfx.types.artifact import Artifact


def split_pattern(examples: Artifact, split: str) -> str:
    """Returns the file pattern of a split's TFRecords."""
    return os.path.join(artifact_utils.get_split_uri([examples], split), "*")
