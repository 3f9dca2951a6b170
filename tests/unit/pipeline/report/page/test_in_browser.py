"""The page in a real browser: it loads, draws, fits, can be read and reached by everyone."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.report.page import page
from pipeline.report.page.part import RunRecord
from tests.support.records.reported import cut, reported
from tests.support.servers.accessibility import grave_faults
from tests.support.servers.browser import Page, chromium

WIDTHS = (390, 1440)
CHARTS = "[...document.querySelectorAll('.chart')]"
SEEN = f"{CHARTS}.filter(chart => chart.offsetParent !== null)"  # not in a fold that is closed
DRAWN = f"{SEEN}.every(chart => chart.dataset.drawn === 'yes')"
MARKS = f"{SEEN}.map(chart => chart.querySelectorAll('svg .mark-group path, svg path').length)"
USABLE_SECONDS = 2.0


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> RunRecord:
    """A run with a harmful text wherever one of data or people may stand."""
    return reported(tmp_path_factory.mktemp("runs") / "census")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A browser."""
    with chromium(tmp_path_factory.mktemp("chromium")) as found:
        yield found


def show(browser: Page, text: str, folder: Path, width: int, dark: bool = False) -> str:
    """Opens a page in a window of a width; its address."""
    path = folder / "index.html"
    path.write_text(text, encoding="utf-8")
    scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
    browser.call("Emulation.setEmulatedMedia", media="screen", features=scheme)
    browser.call(
        "Emulation.setDeviceMetricsOverride",
        width=width, height=900, deviceScaleFactor=1, mobile=width < 500,
    )  # fmt: skip
    browser.requests.clear()
    browser.problems.clear()
    browser.open(path.as_uri())
    return path.as_uri()


def keep_picture(browser: Page, path: Path) -> None:
    """Writes a picture of the whole page."""
    size = browser.call("Page.getLayoutMetrics")["cssContentSize"]
    clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
    shot = browser.call(
        "Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip
    )
    path.write_bytes(base64.b64decode(shot["data"]))


@pytest.mark.parametrize("width", WIDTHS)
def test_it_loads_draws_and_fits_without_a_network(
    browser: Page, record: RunRecord, tmp_path: Path, width: int
) -> None:
    address = show(browser, page.render(record), tmp_path, width)
    browser.wait_for(DRAWN)
    assert browser.problems == []
    assert set(browser.requests) == {address}
    assert browser.evaluate("window.hurt") is None
    marks = browser.evaluate(MARKS)
    assert len(marks) >= 4
    assert all(marks), marks
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    ready = browser.evaluate("performance.timing.loadEventEnd - performance.timing.fetchStart")
    assert ready < USABLE_SECONDS * 1000
    keep_picture(browser, tmp_path / f"report-{width}.png")


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_grave(
    browser: Page, record: RunRecord, tmp_path: Path, dark: bool
) -> None:
    show(browser, page.render(record), tmp_path, WIDTHS[1], dark)
    browser.wait_for(DRAWN)
    browser.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true; })")
    assert grave_faults(browser) == []
    keep_picture(browser, tmp_path / f"report-{'dark' if dark else 'light'}.png")


def test_axe_finds_nothing_grave_on_a_phone_and_in_two_runs_side_by_side(
    browser: Page, record: RunRecord, tmp_path: Path
) -> None:
    show(browser, page.render_against(record, cut(record, 6)), tmp_path, WIDTHS[0])
    browser.wait_for(DRAWN)
    assert browser.problems == []
    assert grave_faults(browser) == []
    assert browser.evaluate("document.documentElement.scrollWidth") <= WIDTHS[0]


def test_the_keyboard_gets_past_the_head_to_the_report(
    browser: Page, record: RunRecord, tmp_path: Path
) -> None:
    show(browser, page.render(record), tmp_path, WIDTHS[1])
    browser.press("Tab")
    assert browser.evaluate("document.activeElement.className") == "skip"
    browser.press("Enter", "\r")
    assert browser.evaluate("document.activeElement.id") == "main"
    browser.press("Tab")
    assert browser.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_a_click_on_a_box_of_the_dag_leads_to_what_its_node_did(
    browser: Page, record: RunRecord, tmp_path: Path
) -> None:
    show(browser, page.render(record), tmp_path, WIDTHS[1])
    box = "[...document.querySelectorAll('.dag a')].find(a => a.textContent.includes('Trainer'))"
    browser.evaluate(f"{box}.dispatchEvent(new MouseEvent('click', {{bubbles: true}}))")
    assert browser.evaluate("location.hash") == "#training"


def test_a_harmful_text_in_a_tooltip_is_text(
    browser: Page, record: RunRecord, tmp_path: Path
) -> None:
    show(browser, page.render(record), tmp_path, WIDTHS[1])
    browser.wait_for(DRAWN)
    tooltip = "document.getElementById('vg-tooltip-element')?.textContent ?? ''"
    points = "[...document.querySelectorAll('#labels-functions .mark-symbol path')]"
    for place in range(browser.evaluate(f"{points}.length")):
        browser.evaluate(
            f"{points}[{place}].scrollIntoView({{block: 'center', behavior: 'instant'}})"
        )
        box = browser.evaluate(f"{points}[{place}].getBoundingClientRect().toJSON()")
        at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        browser.call("Input.dispatchMouseEvent", type="mouseMoved", **at)
        if "<script>" in browser.wait_for(tooltip):
            break
    else:
        pytest.fail("no tooltip named the function")
    assert browser.evaluate("document.querySelector('#vg-tooltip-element img')") is None
    assert browser.evaluate("window.hurt") is None
    assert browser.problems == []


def test_in_print_the_folds_are_open(browser: Page, record: RunRecord, tmp_path: Path) -> None:
    show(browser, page.render(record), tmp_path, WIDTHS[1])
    browser.wait_for(DRAWN)
    closed = "document.querySelectorAll('main details:not(.digest):not([open])').length"
    assert browser.evaluate(closed) > 0
    browser.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert browser.evaluate(closed) == 0
    assert len(browser.call("Page.printToPDF")["data"]) > 10_000
    assert browser.evaluate(closed) > 0


def test_a_picture_follows_the_colours_of_the_page(
    browser: Page, record: RunRecord, tmp_path: Path
) -> None:
    show(browser, page.render(record), tmp_path, WIDTHS[1])
    browser.wait_for(DRAWN)
    label = "getComputedStyle(document.querySelector('.chart svg text')).fill"
    light = browser.evaluate(label)
    scheme = [{"name": "prefers-color-scheme", "value": "dark"}]
    browser.call("Emulation.setEmulatedMedia", media="screen", features=scheme)
    assert browser.evaluate(label) != light


@pytest.mark.parametrize("length", [0, 3, 6, 8])
def test_a_run_that_failed_early_loads_too(
    browser: Page, record: RunRecord, tmp_path: Path, length: int
) -> None:
    show(browser, page.render(cut(record, length)), tmp_path, WIDTHS[0])
    browser.wait_for(DRAWN)
    assert browser.problems == []
    assert browser.evaluate("document.documentElement.scrollWidth") <= WIDTHS[0]
