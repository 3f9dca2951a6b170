"""Logging as JSON lines, for programs that run unattended."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any


class JsonFormatter(logging.Formatter):
    """One JSON object a record: time (UTC), level, logger, message, and `extra={"fields": {}}`."""

    def format(self, record: logging.LogRecord) -> str:
        """The record in ASCII, on one line."""
        time = datetime.fromtimestamp(record.created, UTC)
        values: dict[str, Any] = {
            "time": time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            values["exception"] = self.formatException(record.exc_info)
        return json.dumps(values, default=str)


def log_to_stdout() -> None:
    """Makes every logger of the process write JSON lines to standard output, from INFO on."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(True)
