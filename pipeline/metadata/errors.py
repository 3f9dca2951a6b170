"""Why ML Metadata's server could not be used, for people.

ML Metadata's client says little: number and text of MySQL's error are empty in its message. So the
server is asked once more, without logging in.
"""

import socket
import struct

from core.errors import InputError
from pipeline.metadata.address import Address

_TIMEOUT = 5  # seconds
_HEADER = 4  # bytes of length and number before a packet of MySQL's
_ERROR_PACKET = 0xFF


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
        greeting = _greeting_error(address)
    except socket.gaierror as failure:
        return InputError(f"{where}: there is no host '{address.host}' ({failure.strerror})")
    except OSError as failure:
        reason = failure.strerror or str(failure)
        return ServerDownError(f"{where}: the server does not answer ({reason}); start it")
    if greeting:
        return ServerDownError(f"{where}: the server takes no connections: {greeting}")
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


def _greeting_error(address: Address) -> str | None:
    """The error with which a server greets, such as `Too many connections`; None when it is well.

    Source: MySQL's protocol, ERR_Packet.
    """
    with socket.create_connection((address.host, address.port), timeout=_TIMEOUT) as connection:
        packet = connection.recv(512)[_HEADER:]
    if not packet or packet[0] != _ERROR_PACKET:
        return None
    (number,) = struct.unpack_from("<H", packet, 1)
    return f"{packet[3:].decode(errors='replace')} ({number})"
