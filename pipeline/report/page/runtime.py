"""The JavaScript that draws Vega-Lite charts, made once and kept: `python -m ...` by set-up."""

import contextlib
import functools
import sys
from importlib.metadata import version
from pathlib import Path

import vl_convert

from core.files import write_atomically

_SNIPPET = "window.vegaEmbed = vegaEmbed; window.vega = vega;"
_OF_ENVIRONMENT = Path(sys.prefix, "share")


def runtime(folder: Path) -> str:
    """Vega, Vega-Lite and Vega-Embed as one script that may stand in a page.

    Args:
      folder: Where it is kept, if it is not in the environment; bundling it anew takes a second or
        two of CPU.
    """
    for place in (_OF_ENVIRONMENT, folder):
        with contextlib.suppress(OSError, UnicodeDecodeError):
            return _kept(place).read_text(encoding="utf-8")
    with contextlib.suppress(OSError):
        keep(folder)
    return _bundle()


def keep(folder: Path) -> None:
    """Makes the script and writes it into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(_kept(folder), _bundle())


def _kept(folder: Path) -> Path:
    return folder / f"vega-{version('vl-convert-python')}.js"


@functools.cache
def _bundle() -> str:
    script = str(vl_convert.javascript_bundle(_SNIPPET))
    # What would end the element that it stands in, or begin a comment there.
    return script.replace("</script", "<\\/script").replace("<!--", "<\\!--")


if __name__ == "__main__":
    with contextlib.suppress(OSError):  # an environment that cannot be written to
        keep(_OF_ENVIRONMENT)
