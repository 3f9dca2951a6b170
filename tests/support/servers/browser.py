"""A headless Chromium, driven by its DevTools protocol."""

import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import websocket

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_PATIENCE = 20.0


class Page:
    """A page of the browser."""

    def __init__(self, address: str) -> None:
        self._socket = websocket.create_connection(
            address, timeout=_PATIENCE, suppress_origin=True, skip_utf8_validation=True
        )
        self._sent = 0
        self.requests: list[str] = []
        self.problems: list[str] = []
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Sends a command and returns its result; what the page did meanwhile is kept."""
        self._sent += 1
        self._socket.send(json.dumps({"id": self._sent, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") == self._sent:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result
            self._note(message["method"], message["params"])

    def _note(self, method: str, parameters: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.problems.append(str(parameters["exceptionDetails"]))
        elif method == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.problems.append(parameters["entry"]["text"])

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def wait_for(self, expression: str) -> Any:
        """Waits until an expression is true, and returns its value."""
        deadline = time.monotonic() + _PATIENCE
        while not (value := self.evaluate(expression)):
            assert time.monotonic() < deadline, self.evaluate("document.body.innerText")
            time.sleep(0.05)
        return value

    def open(self, url: str) -> None:
        """Goes to a page, and waits until it is there."""
        self.call("Page.navigate", url=url)
        self.wait_for(f"document.readyState === 'complete' && location.href === {json.dumps(url)}")

    def press(self, key: str, text: str = "", shift: bool = False) -> None:
        """Presses a key and lets it go."""
        codes = {"Tab": 9, "Enter": 13}
        shared = {"key": key, "code": key, "modifiers": 8 if shift else 0}
        shared |= {"windowsVirtualKeyCode": codes.get(key, 0)}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **shared)
        self.call("Input.dispatchKeyEvent", type="keyUp", **shared)

    def type(self, text: str) -> None:
        """Types a text into what has the focus."""
        for character in text:
            self.call("Input.dispatchKeyEvent", type="keyDown", text=character, key=character)
            self.call("Input.dispatchKeyEvent", type="keyUp", key=character)


@contextmanager
def chromium(folder: Path) -> Iterator[Page]:
    """A page in a browser of its own, which keeps what it keeps in a folder."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        pytest.fail("no Chromium: install one (Debian: apt-get install chromium)")
    process = subprocess.Popen(
        [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
         "--no-first-run", "--disable-background-networking", "--remote-debugging-port=0",
         f"--user-data-dir={folder}", "about:blank"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        told = folder / "DevToolsActivePort"
        deadline = time.monotonic() + _PATIENCE
        while not told.exists() or "\n" not in told.read_text():
            assert process.poll() is None, "Chromium ended"
            assert time.monotonic() < deadline, "Chromium does not listen"
            time.sleep(0.05)
        port = told.read_text().split("\n")[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=20) as response:
            [first, *_] = [t for t in json.load(response) if t["type"] == "page"]
        yield Page(first["webSocketDebuggerUrl"])
    finally:
        process.terminate()
        process.wait(_PATIENCE)
