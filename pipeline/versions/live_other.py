"""Which pushed version a candidate is compared with before it is pushed."""

from pathlib import Path

from ml_metadata import MetadataStore
from tfx.dsl.components.common import resolver
from tfx.types.artifact import Artifact
from tfx.utils import path_utils

from models.model_content import content_sha256
from models.version_record import read_record, version_folders, withdrawn_folder


class LiveOther(resolver.ResolverStrategy):
    """Resolves the newest served version whose model is not the candidate's.

    That is the live version, until the candidate itself is live: then it is the version that was
    live before, the one the candidate was compared with. So the answer does not change when the
    candidate is pushed, and a run that changes nothing takes everything from the cache.

    Inputs: `candidate` (one Model) and `pushed_model` (all PushedModels of the target). Output
    `pushed_model`: one PushedModel, or none.
    """

    def __init__(self, served: str) -> None:
        """`served` is the folder that a server of the target watches."""
        self._served = Path(served)

    def resolve_artifacts(
        self, store: MetadataStore, input_dict: dict[str, list[Artifact]]
    ) -> dict[str, list[Artifact]]:
        """Keeps `candidate` and reduces `pushed_model` to at most one."""
        candidate = input_dict["candidate"][0]
        mine = content_sha256(Path(path_utils.serving_model_path(candidate.uri)))
        pushed: dict[int, Artifact] = {}
        # Of several artifacts for one version the first: later ones say that it was live already.
        for artifact in sorted(input_dict["pushed_model"], key=lambda a: a.id):
            if artifact.get_int_custom_property("pushed"):
                version = int(artifact.get_string_custom_property("pushed_version"))
                pushed.setdefault(version, artifact)
        for version, folder in reversed(version_folders(self._served).items()):
            if version in pushed and content_sha256(folder) != mine:
                return {**input_dict, "pushed_model": [pushed[version]]}
        return {**input_dict, "pushed_model": []}


def rolled_back_models(served: Path) -> list[tuple[int, str, str]]:
    """Version, digest and reason of each model that was rolled back, ascending."""
    found = []
    for version, folder in version_folders(withdrawn_folder(served)).items():
        record = read_record(folder)
        digest = record.model_sha256 if record else ""
        reason = record.events[-1].reason if record and record.events else "no reason given"
        found.append((version, digest or content_sha256(folder), reason))
    return found
