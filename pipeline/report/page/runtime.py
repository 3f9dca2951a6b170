"""The JavaScript that draws Vega-Lite charts, made once and kept for later pages."""

import contextlib
import functools
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
    script = _bundle()
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(kept, script)
    return script


@functools.cache
def _bundle() -> str:
    script = str(vl_convert.javascript_bundle(_SNIPPET))
    # What would end the element that it stands in, or begin a comment there.
    return script.replace("</script", "<\\/script").replace("<!--", "<\\!--")
