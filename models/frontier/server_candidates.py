"""What can ship to the server: SavedModels of the teacher, as it was trained and pruned."""

import shutil
from pathlib import Path

import numpy as np

from core.names import TEACHER, TEACHER_PRUNED
from models.export.export import export_server_model
from models.export.server import measure_server_model
from models.frontier.candidates import Costs, Given
from models.frontier.unseen import read_answers
from models.network.rows import Rows
from models.network.warm_start import FOLDER


class ServerCandidates:
    """See `Candidates`. The Trainer has exported the pruned teacher; the other one is done here."""

    def __init__(self, given: Given) -> None:
        assert given.trained is not None
        self._given = given
        self._trained = given.trained
        self._folders = {TEACHER: given.scratch / TEACHER, TEACHER_PRUNED: given.trained}
        export_server_model(
            given.network(TEACHER),
            given.transform_graph,
            given.preprocessing,
            str(self._folders[TEACHER]),
        )

    def answers(self, rows: Rows) -> dict[str, np.ndarray]:
        """See `Candidates`."""
        return read_answers(self._given.model_run, rows)

    def teacher(self, rows: Rows) -> np.ndarray:
        """See `Candidates`."""
        return self.answers(rows)[TEACHER]

    def costs(self) -> dict[str, Costs]:
        """See `Candidates`."""
        requests = self._given.requests
        return {
            name: Costs(**measure_server_model(str(folder), requests))
            for name, folder in self._folders.items()
        }

    def write(self, name: str, folder: Path) -> None:
        """See `Candidates`. What a later teacher starts from lies beside it as before."""
        shutil.copytree(self._folders[name], folder)
        start = self._trained.parent / FOLDER
        if start.is_dir():
            shutil.copytree(start, folder.parent / FOLDER)


def open_candidates(given: Given) -> ServerCandidates:
    """The server's variants."""
    return ServerCandidates(given)
