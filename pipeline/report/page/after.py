"""The page of a run that has just ended."""

from pathlib import Path

from pipeline.report.page import page
from pipeline.report.page.records import of_summary
from pipeline.report.summary import Summary
from pipeline.run.signals import interruptible


def after_run(summary: Summary, folder: Path) -> list[str]:
    """Writes the page of a run, whatever its state.

    Nothing that goes wrong here changes how the run ended: it becomes a warning.

    Args:
      summary: Of the run.
      folder: <root>/<name>.

    Returns:
      Warnings, one a line.
    """
    try:
        with interruptible():
            page.write(of_summary(summary, folder))
    except KeyboardInterrupt:
        return ["a signal came before the report was written; `report` writes it"]
    except Exception as error:  # whatever it is, what was done is done
        return [f"report: {type(error).__name__}: {error}; `report` writes it once that is mended"]
    return []
