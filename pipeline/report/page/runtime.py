"""The JavaScript that draws Vega-Lite charts, made once and kept for later pages."""

import contextlib
from importlib.metadata import version
from pathlib import Path

import vl_convert

from core.files import write_atomically

_SNIPPET = "window.vegaEmbed = vegaEmbed; window.vega = vega;"


def runtime(folder: Path) -> str:
    """Vega, Vega-Lite and Vega-Embed as one script that may stand in a page.

    Args:
      folder: Where it is kept; bundling it anew takes a second of CPU.
    """
    kept = folder / f"vega-{version('vl-convert-python')}.js"
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return kept.read_text(encoding="utf-8")
    script = str(vl_convert.javascript_bundle(_SNIPPET))
    if "</script" in script.lower() or "<!--" in script:  # it would end the element it stands in
        script = script.replace("</", "<\\/").replace("<!--", "<\\!--")
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(kept, script)
    return script
