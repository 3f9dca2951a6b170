"""The web client in a headless Chromium: its time a row, told by the page itself."""

import functools
import http.server
import json
import queue
import shutil
import subprocess
import threading
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.latency.timing import Times
from benchmarks.measure import MeasurementError
from models.export.clients.delivered import put_web_client

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_PATIENCE = 120  # seconds
_CALLS = 20  # that are timed together: a browser's clock is coarse
_PAGE = f"""\
<!doctype html><meta charset="utf-8"><title>times</title>
<script type="module">
  import {{ Model }} from "./tflite.js";
  const fetched = async (name) => (await fetch(name)).arrayBuffer();
  const model = new Model(await fetched("tflite"));
  const rows = JSON.parse(new TextDecoder().decode(await fetched("rows.json")));
  const [samples, found] = [SAMPLES, []];
  for (let sample = -samples; sample < samples; sample++) {{
    const start = performance.now();
    for (let n = 0; n < {_CALLS}; n++)
      model.run(rows[((sample + samples) * {_CALLS} + n) % rows.length]);
    if (sample >= 0) found.push(((performance.now() - start) * 1000) / {_CALLS});
  }}
  await fetch("told", {{ method: "POST", body: JSON.stringify(found) }});
</script>
"""


def times_of_rows(
    folder: Path, numeric: np.ndarray, categorical: np.ndarray, samples: int
) -> Times:
    """Times of a row; half of all rows are answered before the time runs. No CPU seconds.

    Args:
      folder: A bundle, where the page is put, too.
      numeric: float32 [rows, N].
      categorical: int64 [rows, C].
      samples: How many times.

    Raises:
      MeasurementError: There is no Chromium, or it told nothing.
    """
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        raise MeasurementError("no Chromium: install one (Debian: apt-get install chromium)")
    put_web_client(folder)
    rows = [
        {"numeric": numbers, "categorical": ids}
        for numbers, ids in zip(numeric.tolist(), categorical.tolist(), strict=True)
    ]
    (folder / "rows.json").write_text(json.dumps(rows), encoding="utf-8")
    (folder / "times.html").write_text(_PAGE.replace("SAMPLES", str(samples)), encoding="utf-8")
    told: queue.Queue[bytes] = queue.Queue()
    handler = functools.partial(_Handler, told=told, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        flags += ["--no-first-run", f"--user-data-dir={folder / 'chromium'}"]
        process = subprocess.Popen(
            [program, *flags, f"http://127.0.0.1:{server.server_port}/times.html"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            return Times(json.loads(told.get(timeout=_PATIENCE)))
        except queue.Empty:
            raise MeasurementError(f"Chromium told no times within {_PATIENCE} s") from None
        finally:
            process.terminate()
            process.wait()
            server.shutdown()


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files, and keeps what a page posts."""

    def __init__(self, *request: Any, told: "queue.Queue[bytes]", **options: Any) -> None:
        self._told = told
        super().__init__(*request, **options)

    def do_POST(self) -> None:
        """Keeps the body."""
        self._told.put(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *told: object) -> None:
        """Says nothing."""
