"""What `lf` shows, as one HTML page without scripts or outside resources."""

from pathlib import Path

from core.files import write_atomically
from pipeline.labels import display
from pipeline.labels.report import LfReport
from pipeline.report.templates import templates_in

TEMPLATES = Path(__file__).parent / "templates"


def render(report: LfReport) -> str:
    """The page; texts from data and functions are escaped."""
    environment = templates_in(TEMPLATES)
    environment.filters["percent"] = "{:.1%}".format
    environment.filters["number"] = display.number
    environment.filters["shown"] = display.shown
    return environment.get_template("lf.html.j2").render(
        report=report,
        labels=report.labels,
        votes_cell=display.votes_cell,
        balance_line=display.balance_line,
        accuracy_cells=display.accuracy_cells,
        gold_line=display.gold_line,
        with_interval=display.with_interval,
        change_lines=display.change_lines,
        shift_columns=display.shift_columns,
        shift_cells=display.shift_cells,
        shift_line=display.shift_line,
    )


def write(report: LfReport, path: Path) -> None:
    """Writes the page; who opens it meanwhile finds the one before or this one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, render(report))
