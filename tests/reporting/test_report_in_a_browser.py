"""The report as a browser shows it: in the dark, on a phone, on paper and to a screen reader.

A real Chromium without a window draws it. ``axe-core`` looks for what somebody with a screen reader or weak eyes would
stumble over.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Any

import numpy as np
import pytest
from support.entries import entry
from support.mirrored import draw_mirrored
from support.reports import NETWORK, card, report, split

from harness.datasets.faces import FaceSet
from harness.datasets.opening import Rows
from harness.estimates import Estimate
from harness.keypoints import FACE15
from harness.reporting.report import Report
from harness.reporting.tricks import Ablation, Measured
from harness.studies.audit import Audit, Suspect
from harness.studies.audit_report import AuditReport

CHROMIUM, DRIVER = which("chromium") or which("google-chrome"), which("chromedriver")
PHONE, DESK = 360, 1100

MISSING = [name for name, path in (("chromium", CHROMIUM), ("chromedriver", DRIVER)) if path is None]
MISSING += [name for name in ("selenium", "axe_core_python") if find_spec(name) is None]
pytestmark = pytest.mark.skipif(
    bool(MISSING),
    reason=f"without {', '.join(MISSING)}: apt install chromium chromium-driver; pip install selenium axe-core-python",
)


class Browser:
    """Chromium with a page of ours in it."""

    def __init__(self) -> None:
        from selenium import webdriver

        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for each in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
            options.add_argument(each)
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))

    def show(self, page: Path, *, width: int = DESK, scheme: str = "light", media: str = "screen") -> None:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.driver.get(page.as_uri())

    def ask(self, expression: str) -> Any:
        return self.driver.execute_script(f"return {expression}")

    def style(self, selector: str, name: str) -> str:
        return self.ask(f"getComputedStyle(document.querySelector({json.dumps(selector)})).getPropertyValue('{name}')")

    def violations(self) -> list[str]:
        """What axe finds, a line each."""
        import axe_core_python

        self.driver.execute_script((Path(axe_core_python.__file__).parent / "axe.min.js").read_text())
        found = self.driver.execute_async_script("const done = arguments[0]; axe.run().then(done)")
        assert len(found["passes"]) > 20, "axe has looked at the page"
        return [f"{each['id']}: {node['html']}" for each in found["violations"] for node in each["nodes"]]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    browser = Browser()
    yield browser
    browser.driver.quit()


def full(folder: Path) -> Report:
    """A report with every section, long words in it."""
    rows = (
        Measured("as it is", Estimate(1, 0.9, 1.1), None),
        Measured("a_trick_with_a_very_long_name_that_cannot_be_broken=0", Estimate(2, 1, 3), Estimate(1, 0.5, 1.5)),
        Measured("flip=0", Estimate(0.5, 0.4, 0.6), Estimate(-0.5, -0.6, -0.4)),
    )
    long = "x" * 200  # the longest text that a worker may report
    made = report(
        folder,
        split("practice"),
        ablation=Ablation("mine.ablation.csv", rows, fits=True),
        networks=[NETWORK, NETWORK | {"layers": [{"name": long, "kind": long, "shape": long}]}],
        submission=long[:80],
        description=f"{long}\n\n  - a list\n  - {long}",
        mistakes=["x and y look exchanged."],
        flags=[long],
        log_tail=f"{long}\n" * 3,
        device="cpu",
        overrides={"epochs": 3, "path": long},
    )
    assert made.recipes and made.curves, "the report has every section"
    return made


def failed(folder: Path) -> Report:
    reason = "it broke\n" + "x" * 300
    return Report(entry("mine", None, reason=reason, log_tail=reason), card(folder), split(), None)


def audited(folder: Path) -> AuditReport:
    images, keypoints = draw_mirrored(30)
    faces = FaceSet(images, keypoints, np.arange(30), FACE15)
    suspects = [Suspect(2, each, 12.0, 9.0) for each in range(15)]
    found = Audit(faces, keypoints + 2, 2.0, Estimate(1, 0.9, 1.1), list(range(5, 12)), suspects, [(1, 20), (1, 21)])
    return AuditReport(
        "x" * 80, Rows(faces, [f"{'x' * 200}, line {row + 2}" for row in range(30)], np.arange(30) > 19), found
    )


@pytest.fixture(scope="module", params=[full, failed, audited], ids=["graded", "failed", "audited"])
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    (folder / "report.html").write_text(request.param(folder).html)
    return folder / "report.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_axe_finds_nothing(page: Path, browser: Browser, width: int, scheme: str) -> None:
    browser.show(page, width=width, scheme=scheme)

    assert browser.violations() == []


@pytest.mark.parametrize("width", [320, PHONE, 768, DESK])
def test_no_page_is_wider_than_its_screen(page: Path, browser: Browser, width: int) -> None:
    browser.show(page, width=width)

    assert browser.ask("document.documentElement.scrollWidth") <= width


def test_it_is_dark_where_dark_is_wished_for_but_not_on_paper(page: Path, browser: Browser) -> None:
    grounds = []
    for scheme, media in (("light", "screen"), ("dark", "screen"), ("dark", "print")):
        browser.show(page, scheme=scheme, media=media)
        grounds.append([int(part) for part in browser.style("body", "background-color")[4:-1].split(",")])

    light, dark, paper = grounds
    assert min(light) > 240 and max(dark) < 60 and paper == [255, 255, 255]


def test_it_prints_on_a_few_pages_without_its_navigation(page: Path, browser: Browser) -> None:
    browser.show(page, media="")
    browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    pdf = base64.b64decode(browser.driver.execute_cdp_cmd("Page.printToPDF", {})["data"])
    browser.show(page, media="print")

    assert pdf.startswith(b"%PDF") and 1 <= pdf.count(b"/Type /Page\n") <= 12
    assert browser.style("nav", "display") == "none"


def test_it_asks_nothing_of_the_network_and_says_nothing_to_the_console(page: Path, browser: Browser) -> None:
    browser.show(page)

    assert (
        browser.ask("performance.getEntriesByType('resource').filter(each => !each.name.startsWith('data:')).length")
        == 0
    )
    assert [each["message"] for each in browser.driver.get_log("browser")] == []


def test_every_picture_is_drawn(page: Path, browser: Browser) -> None:
    browser.show(page)
    boxes = browser.ask("[...document.querySelectorAll('svg')].map(each => each.getBoundingClientRect().toJSON())")

    assert len(boxes) == page.read_text().count("<svg")
    assert all(box["width"] > 40 and box["height"] > 8 for box in boxes)
