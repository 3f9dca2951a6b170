"""Why ML Metadata's server could not be used, for people.

ML Metadata's client says little: number and text of MySQL's error are empty in its message. So the
server is asked once more, without logging in.
"""

import socket

from core.errors import InputError
from pipeline.metadata.address import Address

_TIMEOUT = 5  # seconds


class ServerDownError(ConnectionError):
    """The server does not answer, or takes no more connections."""


def explain_refusal(address: Address, error: str) -> Exception | None:
    """An InputError when the settings are wrong, a ServerDownError when the server is not there.

    None when neither is the case.

    Args:
        address: the server.
        error: what ML Metadata said when it could not connect.
    """
    where = f"metadata.connection {address}"
    try:
        with socket.create_connection((address.host, address.port), _TIMEOUT) as connection:
            greeting = connection.recv(512)
    except socket.gaierror as failure:
        return InputError(f"{where}: there is no host '{address.host}' ({failure.strerror})")
    except OSError as failure:
        reason = failure.strerror or str(failure)
        return ServerDownError(f"{where}: the server does not answer ({reason}); start it")
    # A server that is full greets with an ERR_Packet of MySQL's protocol: four bytes of header,
    # 0xff, two bytes of number, text.
    if greeting[4:5] == b"\xff":
        number, text = (
            int.from_bytes(greeting[5:7], "little"),
            greeting[7:].decode(errors="replace"),
        )
        return ServerDownError(f"{where}: the server takes no connections: {text} ({number})")
    if "Changing to database" in error:
        return InputError(
            f"{where}: the database does not exist, or the user has no rights in it; create it and "
            f"grant them ({error.rpartition('error: ')[2].strip()})"
        )
    if "mysql_real_connect" in error:
        return InputError(
            f"{where}: the server refuses user or password; or the account logs in by another "
            "plugin than mysql_native_password, the only one that ML Metadata's client has"
        )
    return None
