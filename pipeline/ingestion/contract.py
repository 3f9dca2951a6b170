"""What the schema contract says about the columns of the raw files."""

import hashlib
from pathlib import Path

from core.config import Config
from core.contract import read_contract
from core.errors import InputError
from core.files import write_atomically
from core.names import ROW_ID
from pipeline.config.column_checks import COLUMN_KINDS
from pipeline.ingestion.tables import ColumnKinds

_ADDED_LATER = ("label", "weight")


def contract_sha256(config: Config) -> str:
    """SHA-256 of the contract, in hexadecimal."""
    return hashlib.sha256(config.schema_path.read_bytes()).hexdigest()


def stage_contract(config: Config, run_folder: Path) -> Path:
    """Copies the contract to a path made of its content, and returns that path.

    ImportSchemaGen's cache goes by the path alone: an edited contract needs another one.
    """
    content = config.schema_path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    path = run_folder / "staged" / "contracts" / digest / "schema.pbtxt"
    if not path.exists() or path.read_bytes() != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
    return path


def slice_columns(config: Config) -> list[str]:
    """Columns that evaluation slices by, each once, in the order of the configuration."""
    return list(dict.fromkeys(c for columns in config.evaluation.slices for c in columns))


def raw_columns(config: Config) -> ColumnKinds:
    """The columns of a raw file: those of the contract that no later step adds.

    Raises:
        InputError: the contract lacks a column of the configuration, or gives it another kind.
    """
    contract = read_contract(config.schema_path)
    columns = config.columns
    added = (ROW_ID, *columns.groups, *_ADDED_LATER)
    kinds = {c: kind for c, kind in contract.items() if c not in added or c == columns.label}
    wanted = dict.fromkeys(columns.numeric, "INT or FLOAT")
    wanted |= dict.fromkeys((*columns.categorical, *columns.text, *columns.dates), "BYTES")
    for column in [*wanted, columns.label]:
        if column not in kinds:
            raise InputError(
                f"columns: '{column}' is not in {config.contract}; describe it there or drop it"
            )
        if column in wanted and kinds[column] not in wanted[column]:
            listed = next(k for k in COLUMN_KINDS if column in getattr(columns, k))
            raise InputError(
                f"{config.contract}: '{column}' has type {kinds[column]}, but columns lists it as "
                f"{listed}: {wanted[column]}"
            )
    optional = (columns.label,) if config.labeling.mode == "weak" else ()
    return ColumnKinds(kinds, optional)
