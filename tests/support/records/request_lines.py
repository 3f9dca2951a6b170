"""A log of requests, as `serve` writes it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

NOW = datetime(2026, 11, 26, 13, tzinfo=UTC)
COLUMNS: dict[str, Any] = {
    "age": 39, "education-num": 13, "capital-gain": 0, "capital-loss": 0, "hours-per-week": 40,
    "workclass": "Private", "education": "Bachelors", "marital-status": "Never-married",
    "occupation": "Sales", "relationship": "Husband", "race": "White", "sex": "Male",
    "native-country": "United-States",
}  # fmt: skip


def line(request: str, row: int = 0, **changes: Any) -> str:
    record = {
        "request": request, "row": row, "time": "2026-11-26T12:00:00.000Z", "target": "server",
        "version": 7, "columns": COLUMNS, "answer": 0.25, "latency_ms": 1.0, **changes,
    }  # fmt: skip
    return json.dumps(record) + "\n"


def log(folder: Path, *lines: str, name: str = "20261126T120000.000000Z-server-1") -> Path:
    requests = folder / "requests"
    requests.mkdir(parents=True, exist_ok=True)
    with open(requests / f"{name}.jsonl", "a", encoding="utf-8") as file:
        file.writelines(lines)
    return requests
