"""The address of ML Metadata's database server, as `metadata.connection` gives it."""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from core.errors import InputError

_FORM = "mysql://user@host:port/database"
_PORT = 3306


@dataclass(frozen=True)
class Address:
    """A database on a server that speaks MySQL's protocol. There is no password in it."""

    user: str
    host: str
    port: int
    database: str

    def __str__(self) -> str:
        return f"mysql://{self.user}@{self.host}:{self.port}/{self.database}"


def parse(text: str) -> Address:
    """Reads `mysql://user@host:port/database`; without a port it is the usual one.

    Raises:
        InputError: something is missing or too much. The text is not repeated: it may hold a
            password.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise InputError(f"not an address; give {_FORM}") from None
    if parts.password is not None:
        raise InputError(
            "a password has no place in the configuration; take it out and name an environment "
            "variable (metadata.password_variable) or a file (metadata.password_file) that holds it"
        )
    if parts.scheme.startswith("postgres"):
        raise InputError(
            "ML Metadata 1.16.0 cannot store a text with a backslash in PostgreSQL ('syntax error "
            f"at or near'), so no run gets past its first node; give {_FORM} (MariaDB)"
        )
    if parts.scheme != "mysql":
        raise InputError(f"it does not begin with mysql://; give {_FORM}")
    database = parts.path.removeprefix("/")
    if not parts.username or not parts.hostname or not database or "/" in database:
        raise InputError(f"user, host or database is missing; give {_FORM}")
    if parts.query or parts.fragment:
        raise InputError(f"options after the database are not read; give {_FORM}")
    return Address(unquote(parts.username), parts.hostname, port or _PORT, unquote(database))
