"""Where ML Metadata keeps its records: an SQLite file in the run folder, or a database server.

A run on a server leaves `<run folder>/metadata_store.json`, which says which server that is and
where the password is to be found, never the password itself. Whoever reads the folder's runs
later goes by that file. docs/metadata.md says what works on which server.
"""

import os
import socket
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from ml_metadata import MetadataStore
from ml_metadata.errors import AlreadyExistsError
from ml_metadata.proto import metadata_store_pb2 as mlmd

from core.config import Config
from core.errors import InputError
from core.files import REPOSITORY, write_atomically
from core.operation import MetadataSection
from pipeline.metadata import address as metadata_address
from pipeline.metadata.address import Address
from pipeline.metadata.errors import explain_refusal

FILE = "metadata_store.json"
SQLITE = "metadata.sqlite"
_WAITS = (0.2, 0.4, 0.8, 1.6, 3.2)  # seconds
FOLDER_CONTEXT = "run_folder"  # who records runs under a pipeline's name: one folder


class Store(MetadataSection):
    """What `metadata_store.json` holds: the configuration's section, the address in full.

    folder_id: names the run folder in the server's records, wherever it is mounted.
    """

    folder_id: str


def connection_config(config: Config, folder: Path) -> mlmd.ConnectionConfig:
    """How to reach the store of a run folder, password included: for connecting, never to keep.

    Args:
        config: its section `metadata` says which store.
        folder: <root>/<name>.

    Raises:
        InputError: the password is not where the configuration says.
    """
    return _server_connection(config.metadata) or sqlite_connection(folder)


def recorded_connection(folder: Path) -> mlmd.ConnectionConfig | None:
    """How to reach the server that records a folder's runs; None when SQLite does."""
    store = _read(folder)
    return store and _server_connection(store)


def without_password(connection: mlmd.ConnectionConfig) -> mlmd.ConnectionConfig:
    """The same store for TFX's compiler, whose output may be kept: no password in it."""
    copy = mlmd.ConnectionConfig()
    copy.CopyFrom(connection)
    if copy.HasField("mysql"):
        copy.mysql.ClearField("password")
    return copy


def sqlite_connection(folder: Path) -> mlmd.ConnectionConfig:
    """The SQLite file of a run folder, made when there is none."""
    config = mlmd.ConnectionConfig()
    config.sqlite.filename_uri = str(folder / SQLITE)
    config.sqlite.connection_mode = mlmd.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    return config


def connect(connection: mlmd.ConnectionConfig) -> MetadataStore:
    """Opens a store.

    Raises:
        InputError: user, password or database are wrong.
        ServerDownError: the server does not answer.
    """
    if connection.HasField("sqlite"):
        return MetadataStore(connection)
    server = connection.mysql
    address = Address(server.user, server.host, server.port, server.database)
    for wait in _WAITS:
        try:
            return MetadataStore(connection)
        except RuntimeError as error:
            if refusal := explain_refusal(address, str(error)):
                raise refusal from None
            # Two runs that find the database empty both make the tables, and one of them fails.
            last = error
            time.sleep(wait)
    raise InputError(f"metadata.connection {address}: ML Metadata cannot use it: {last}")


def put_context(
    store: MetadataStore, kind: mlmd.ContextType, context: mlmd.Context
) -> mlmd.Context | None:
    """Writes a context of a kind; None when there is one of its name."""
    context.type_id = store.put_context_type(kind)
    try:
        [context.id] = store.put_contexts([context])
    except AlreadyExistsError:
        return None
    return context


def texts(values: Mapping[str, str]) -> dict[str, mlmd.Value]:
    """Properties of an artifact or a context."""
    return {key: mlmd.Value(string_value=value) for key, value in values.items()}


def settle(config: Config, folder: Path) -> None:
    """Before a run: the store answers, is the one of this folder's earlier runs, and is noted.

    On a server a pipeline's name belongs to the folder that used it first: two folders of one name
    would be given each other's artifacts. Needs the folder's lock.

    Raises:
        InputError: the configuration names another store than the folder's, the settings are
            wrong, or the name is another folder's.
        ServerDownError: the server does not answer.
    """
    before = _read(folder)
    _check_same_store(config, folder, before)
    if config.metadata.connection is None:
        return
    address = str(metadata_address.parse(config.metadata.connection))
    identity = before.folder_id if before else uuid.uuid4().hex
    store = Store(**config.metadata.model_dump() | {"connection": address, "folder_id": identity})
    server = connect(connection_config(config, folder))
    if store != before:
        write_atomically(folder / FILE, store.model_dump_json(indent=1) + "\n")
    try:
        _claim(server, config.name, identity, folder)
    except InputError:
        if before is None:
            (folder / FILE).unlink()
        raise


def _check_same_store(config: Config, folder: Path, before: Store | None) -> None:
    wanted = config.metadata.connection
    if before is not None:
        if wanted is None or str(metadata_address.parse(wanted)) != before.connection:
            raise InputError(
                f"metadata.connection: the runs under {folder} are recorded in "
                f"{before.connection}; set that, or give another name or --root. If that database "
                f"has moved, correct {folder / FILE}"
            )
    elif wanted is not None and (folder / SQLITE).exists():
        raise InputError(
            f"metadata.connection: the runs under {folder} are recorded in {SQLITE} there; leave "
            "the key null, or give another name or --root"
        )


def _claim(server: MetadataStore, name: str, identity: str, folder: Path) -> None:
    """Books the pipeline's name for this folder, or finds it booked."""
    owner = note_place(server, folder, identity).properties
    if owner["folder_id"].string_value != identity:
        raise InputError(
            f"name: '{name}' is recorded on that server by {owner['folder'].string_value} on "
            f"{owner['host'].string_value}; give another name. If that folder is gone for good, "
            f"give {folder / FILE} its folder_id {owner['folder_id'].string_value}"
        )


def note_place(
    store: MetadataStore, folder: Path, folder_id: str, replace: bool = False
) -> mlmd.Context:
    """Writes down which folder a pipeline's records are about; needs its lock.

    Args:
        store: opened for writing.
        folder: <root>/<name>.
        folder_id: names it on a server; empty in SQLite.
        replace: whether to replace what another folder has written.

    Returns:
        What is written there, by this folder or before.
    """
    told = texts({"folder_id": folder_id, "folder": str(folder), "host": socket.gethostname()})
    kind = mlmd.ContextType(name=FOLDER_CONTEXT, properties=dict.fromkeys(told, mlmd.STRING))
    made = put_context(store, kind, mlmd.Context(name=folder.name, properties=told))
    if made is not None:
        return made
    known = store.get_context_by_type_and_name(FOLDER_CONTEXT, folder.name)
    if replace:
        for key, value in told.items():
            known.properties[key].CopyFrom(value)
        store.put_contexts([known])
    return known


def take_over(store: MetadataStore, folder: Path) -> None:
    """Makes this the folder that a server's records are about; a copy elsewhere no longer is."""
    noted = _read(folder)
    assert noted is not None
    noted = noted.model_copy(update={"folder_id": uuid.uuid4().hex})
    note_place(store, folder, noted.folder_id, replace=True)
    write_atomically(folder / FILE, noted.model_dump_json(indent=1) + "\n")


def _server_connection(metadata: MetadataSection) -> mlmd.ConnectionConfig | None:
    """The server that a section names, if it names one.

    A missing database is an error: a typing error would otherwise make a new one.
    """
    if metadata.connection is None:
        return None
    server = mlmd.MySQLDatabaseConfig(
        **asdict(metadata_address.parse(metadata.connection)),
        password=_password(metadata.password_variable, metadata.password_file),
        skip_db_creation=True,
    )
    return mlmd.ConnectionConfig(mysql=server)


def _password(variable: str | None, file: str | None) -> str:
    """The password, from where the configuration says; empty when it says nothing."""
    if variable is not None:
        if variable not in os.environ:
            raise InputError(
                f"metadata.password_variable: the environment variable {variable} is not set; "
                "export it"
            )
        return os.environ[variable]
    if file is not None:
        path = REPOSITORY / file
        try:
            return path.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"metadata.password_file: {path} cannot be read: {error}") from None
    return ""


def _read(folder: Path) -> Store | None:
    path = folder / FILE
    try:
        return Store.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError:
        raise InputError(f"{path}: not what a run wrote there; restore it") from None
