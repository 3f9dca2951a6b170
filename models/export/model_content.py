"""What a model is, told by its files: training twice to the same weights gives the same digest.

The bytes of a SavedModel's graph differ each time: TensorFlow numbers functions as it traces them,
and their order follows Python's hashes. Its own `fingerprint.pb` leaves the functions out, and the
vocabularies with them. Here the graph counts as its operations, whatever their names and order,
each with its attributes, constants among them.
"""

import hashlib
from pathlib import Path

from google.protobuf.message import DecodeError
from tensorflow.core.framework import node_def_pb2
from tensorflow.core.protobuf import saved_model_pb2

from core.names import (
    CARD_FILES,
    EDGE_RUNNER_FILES,
    MANIFEST_FILE,
    TRAINING_ROWS_FILE,
    WARM_UP_FILE,
)
from core.version_record import RECORD_FILE

_GRAPH_FILE = "saved_model.pb"
_BESIDE = (
    RECORD_FILE,
    *CARD_FILES,
    WARM_UP_FILE,
    TRAINING_ROWS_FILE,
    MANIFEST_FILE,
    *EDGE_RUNNER_FILES,
)
_NOT_CONTENT = (*_BESIDE, "fingerprint.pb")
_NAMES = ("shared_name", "container")  # attributes


def content_sha256(folder: Path) -> str:
    """SHA-256 of a SavedModel or an edge bundle, in hexadecimal.

    What the Pusher puts beside a model and a bundle's manifest are left out.
    """
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        if name in _NOT_CONTENT:
            continue
        content = path.read_bytes()
        value = _graph_sha256(content) if name == _GRAPH_FILE else _sha256(content)
        digest.update(f"{name}\0{value}\0".encode())
    return digest.hexdigest()


def _graph_sha256(content: bytes) -> str:
    """Digest of the operations in a `saved_model.pb`; of the bytes where it is none."""
    model = saved_model_pb2.SavedModel()
    try:
        model.ParseFromString(content)
    except DecodeError:
        return _sha256(content)
    parts = []
    for graph in (meta_graph.graph_def for meta_graph in model.meta_graphs):
        nodes = [*graph.node, *(n for f in graph.library.function for n in f.node_def)]
        parts += sorted(_sha256(_operation(node).encode()) for node in nodes)
    return _sha256("\0".join(parts).encode())


def _operation(node: node_def_pb2.NodeDef) -> str:
    attributes = sorted(
        f"{name}={value}"
        for name, value in node.attr.items()
        if not name.startswith("_") and name not in _NAMES and value.WhichOneof("value") != "func"
    )
    return "\0".join([node.op, *attributes])


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
