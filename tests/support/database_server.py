"""A MariaDB server of the tests' own: its files in a temporary folder, gone at the end."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

USER, PASSWORD, DATABASE = "pipeline", "geheim'\"Wort:@/1", "metadata"
SETUP = f"""
CREATE DATABASE {DATABASE};
CREATE USER {USER}@'%' IDENTIFIED BY 'geheim\\'"Wort:@/1';
GRANT ALL ON {DATABASE}.* TO {USER}@'%';
INSTALL SONAME 'auth_ed25519';
CREATE USER modern@'%' IDENTIFIED VIA ed25519 USING PASSWORD('modern');
"""
FOUND_IN = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"


@dataclass
class Server:
    """A running server; `folder` holds its data and its socket."""

    folder: Path
    port: int
    process: "subprocess.Popen[bytes]"

    @property
    def address(self) -> str:
        return f"mysql://{USER}@127.0.0.1:{self.port}/{DATABASE}"

    def sql(self, text: str) -> str:
        """Runs statements as the server's administrator."""
        command = [_program("mariadb"), *self._administrator()]
        done = subprocess.run(command, input=text, check=True, capture_output=True, text=True)
        return done.stdout

    def dump(self) -> str:
        """The whole content of the database."""
        command = [_program("mariadb-dump"), *self._administrator(), DATABASE]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def _administrator(self) -> list[str]:
        return ["--no-defaults", f"--socket={self.folder / 'socket'}", "--user=root"]

    def start(self) -> None:
        """Starts it, and waits until it answers."""
        self.process = _start(self.folder, self.port)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)


def missing() -> str | None:
    """Why there can be no server here; installs MariaDB where it is missing, as root."""
    if shutil.which("mariadbd", path=FOUND_IN):
        return None
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return "MariaDB is not installed: apt-get install mariadb-server"
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", "mariadb-server"]):
        done = subprocess.run(
            ["apt-get", "-q", *command], env=environment, capture_output=True, text=True
        )
        if done.returncode:
            return f"MariaDB cannot be installed: {done.stderr[-300:]}"
    return None


@contextmanager
def running() -> Iterator[Server]:
    """A server with a database and a user in it; it refuses to run as root."""
    with tempfile.TemporaryDirectory(prefix="mariadb-") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            account = pwd.getpwnam("mysql")
            os.chown(folder, account.pw_uid, account.pw_gid)
        subprocess.run(
            [_program("mariadb-install-db"), "--no-defaults", f"--datadir={folder / 'data'}",
             "--auth-root-authentication-method=normal", "--skip-test-db", *_account()],
            check=True, capture_output=True,
        )  # fmt: skip
        port = _free_port()
        server = Server(folder, port, _start(folder, port))
        try:
            server.sql(SETUP)
            yield server
        finally:
            server.stop()


def _start(folder: Path, port: int) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [_program("mariadbd"), "--no-defaults", f"--datadir={folder / 'data'}", *_account(),
         f"--socket={folder / 'socket'}", f"--port={port}", "--bind-address=127.0.0.1",
         f"--pid-file={folder / 'pid'}", "--innodb-flush-log-at-trx-commit=0"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while True:
        assert process.poll() is None, f"mariadbd ended with {process.returncode}"
        assert time.monotonic() < deadline, "mariadbd does not answer"
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return process
        time.sleep(0.1)


def _account() -> list[str]:
    return ["--user=mysql"] if os.geteuid() == 0 else []


def _program(name: str) -> str:
    found = shutil.which(name, path=FOUND_IN)
    assert found, f"{name} is not installed"
    return found


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
