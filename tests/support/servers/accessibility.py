"""What axe-core finds against a page that is open in a browser."""

import json
from pathlib import Path
from typing import Any

import axe_core_python

from tests.support.servers.browser import Page

_SCRIPT = Path(axe_core_python.__file__).with_name("axe.min.js")
_GRAVE = ("serious", "critical")


def grave_faults(page: Page) -> list[str]:
    """Rules that the page breaks and that matter, with the elements at fault."""
    page.evaluate(_SCRIPT.read_text(encoding="utf-8"))
    page.evaluate(
        "window.found = null; axe.run(document, {resultTypes: ['violations']})"
        ".then(result => { window.found = JSON.stringify(result.violations); })"
    )
    return [_line(fault) for fault in _read(page) if fault["impact"] in _GRAVE]


def _read(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(page.wait_for("window.found"))
    return found


def _line(fault: dict[str, Any]) -> str:
    return f"{fault['id']}: {[node['html'][:160] for node in fault['nodes'][:5]]}"
