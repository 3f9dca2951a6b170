"""The JavaScript that draws Vega-Lite charts, made once and kept for later pages."""

import contextlib
from pathlib import Path

import vl_convert

from core.files import write_atomically


def runtime(folder: Path) -> str:
    """Vega, Vega-Lite and Vega-Embed as one script that may stand in a page.

    Args:
      folder: Where it is kept; bundling it anew takes a second of CPU.
    """
    kept = folder / f"vega-{vl_convert.__version__}.js"
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return kept.read_text(encoding="utf-8")
    script = str(vl_convert.javascript_bundle())
    if "</script" in script.lower() or "<!--" in script:  # it would end the element it stands in
        script = script.replace("</", "<\\/").replace("<!--", "<\\!--")
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(kept, script)
    return script
