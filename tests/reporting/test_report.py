"""The report of a grading: its figures are the entry's, what others wrote stays text, no face shows that may not."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from support.entries import entry
from support.reports import NETWORK, Page, card, report, split
from support.views import check_markdown

from harness.estimates import Estimate
from harness.points import Mark
from harness.reporting.report import Report
from harness.reporting.tricks import Ablation, Measured, find_ablation

HOSTILE = (
    "</style></svg><script>alert(1)</script>\"' onload=x | ` ``` <img src=x>\n::error::x\n"
    "# x {{ 7 * 7 }} [a](b) &amp; @ana #1 www.evil.org"
)
HARMLESS = "word"


def test_the_page_is_well_formed_names_its_pictures_and_asks_nothing_of_the_network(tmp_path: Path) -> None:
    page = Page(report(tmp_path, split("practice")).html)

    assert page.wrong == []
    assert [each for each, times in Counter(page.values("id")).items() if times > 1] == []
    for names in (*page.values("aria-labelledby"), *(link[1:] for link in page.values("href") if link[:1] == "#")):
        assert set(names.split()) <= set(page.values("id"))
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in (*page.values("href"), *page.values("src")))
    assert not {"script", "link", "iframe", "object"} & set(page.tags)
    assert page.tags.count("title") > 10 and page.tags.count("caption") == page.tags.count("table")
    assert all(tag in page.tags for tag in ("header", "nav", "main", "footer"))


@pytest.mark.parametrize("form", ["html", "markdown"])
def test_its_figures_are_the_entrys(form: str, tmp_path: Path) -> None:
    made = report(tmp_path, gap=Estimate(0.5, 0.4, 0.6))
    text = getattr(made, form)

    for score in (
        made.entry.scores["mean_pixel_error"],
        *made.headline.keypoints.values(),
        *made.headline.groups.values(),
    ):
        assert f"{score.value:.2f}" in text and f"{score.low:.2f} to {score.high:.2f}" in text
    assert re.search(rf"{made.ranking[1].value:.2f}(</strong>)? px", text)
    assert "350" in text and "very good" in text and "It is small." in text
    assert "flip" in text and "0.25" in text and "No ablation was run" in text


PLACES: dict[str, Any] = {
    "submission": lambda text: {"submission": text},
    "author": lambda text: {"author": text},
    "board": lambda text: {"board": text},
    "description": lambda text: {"description": text},
    "mistakes": lambda text: {"mistakes": [text]},
    "advice": lambda text: {"advice": [text]},
    "flags": lambda text: {"flags": [text]},
    "notes": lambda text: {"notes": [text]},
    "points": lambda text: {"marks": [Mark(text, 1, 2, True)] * 2},
    "device": lambda text: {"device": text},
    "held": lambda text: {"held": text},
    "overrides": lambda text: {"overrides": {text: text}},
    "not applied": lambda text: {"not_applied": [text]},
    "log": lambda text: {"log_tail": text},
    "versions": lambda text: {"versions": {text: text, "harness": text}},
    "fingerprints": lambda text: {"fingerprints": {text: text}},
    "id": lambda text: {"id": text},
    "date": lambda text: {"date": text},
    "layers": lambda text: {"networks": [NETWORK | {"layers": [dict.fromkeys(("name", "kind", "shape"), text)] * 2}]},
    "recipe": lambda text: {
        "networks": [NETWORK | {"recipe": {"optimizer": text, "loss": text}}],
        "recipe": {"loss": text},
    },
}


@pytest.mark.parametrize("place", PLACES)
def test_what_others_wrote_stays_text(place: str, tmp_path: Path) -> None:
    harmless, hostile = (report(tmp_path, **PLACES[place](text)) for text in (HARMLESS, HOSTILE))
    plain, page = Page(harmless.html), Page(hostile.html)

    assert page.wrong == [] and "<script" not in hostile.html
    assert [tag for tag in page.tags if tag not in ("p", "details", "summary")] == [
        tag for tag in plain.tags if tag not in ("p", "details", "summary")
    ]
    assert "49" not in re.findall(r"# x (\S+)", hostile.html)
    outside = re.sub(r"(?ms)^(`{3,})\n.*?^\1$", "", hostile.markdown)
    assert not re.search(r"(?m)^\s*::", hostile.markdown)
    assert check_markdown(hostile.markdown)
    cells = re.compile(r"(?<!\\)\|")
    assert [len(cells.findall(line)) for line in outside.splitlines() if line.startswith("|")] == [
        len(cells.findall(line)) for line in harmless.markdown.splitlines() if line.startswith("|")
    ]


def test_text_of_others_in_a_failed_entry_stays_text(tmp_path: Path) -> None:
    failed = entry("mine", None, reason=HOSTILE, log_tail=HOSTILE, description=HOSTILE)
    made = Report(failed, card(tmp_path), split(), None)

    page = Page(made.html)
    assert page.wrong == [] and "script" not in page.tags and "Failed" in made.html
    assert check_markdown(made.markdown)
    assert "What could an examiner ask?" not in made.html


@pytest.mark.parametrize(
    ("origin", "more", "shown"),
    [
        ("practice", "", 12),
        ("files", "", 0),
        ("files", "show_faces = true\n", 12),
        ("secret", "", 0),
        ("secret", "show_faces = true\n", 0),
    ],
)
def test_held_out_faces_show_only_where_they_may(origin: str, more: str, shown: int, tmp_path: Path) -> None:
    made = report(tmp_path, split(origin), more=more)

    assert Page(made.html).values("class").count("face") == shown
    assert made.html.count("data:image/png") == 1 + shown  # the mean of the training faces is always there
    assert "data:image" not in made.markdown


@pytest.mark.parametrize("form", ["html", "markdown"])
def test_it_says_what_the_score_is_worth_what_was_noted_and_how_training_faces_compare(
    form: str, tmp_path: Path
) -> None:
    made = report(
        tmp_path,
        points=15.0,
        max_points=20.0,
        marks=[Mark("ok", 10, 10, True), Mark("very good", 5, 10, False)],
        notes=["Heatmaps are read as probabilities."],
        gap=Estimate(0.5, 0.4, 0.6),
    )
    text = getattr(made, form)

    assert "15 of 20 points" in text and "Heatmaps are read as probabilities." in text
    assert "0.50 px larger than on a sample of the training faces" in text
    assert re.search(r"very good(</th><td.*?>| \| )5(</td><td.*?>| \| )10", text)


def test_an_ablation_of_this_very_code_is_shown_and_asked_about(tmp_path: Path) -> None:
    rows = (
        Measured("as it is", Estimate(1, 0.9, 1.1), None),
        Measured("flip=0", Estimate(1.5, 1.4, 1.6), Estimate(0.5, 0.4, 0.6)),
        Measured("ema=0", Estimate(1, 0.9, 1.1), Estimate(0.01, -0.1, 0.1)),
    )
    made = report(tmp_path, ablation=Ablation("mine.ablation.csv", rows, fits=True))

    assert made.questions[0].text.startswith("With flip=0 the error rises by 0.50 px")
    assert made.questions[1].text.startswith("ema=0 makes no significant difference")
    assert "+0.50" in made.html and "+0.40 to +0.60" in made.markdown


def test_an_ablation_of_other_code_is_not_shown(tmp_path: Path) -> None:
    rows = (Measured("flip=0", Estimate(1.5, 1.4, 1.6), Estimate(0.5, 0.4, 0.6)),)
    made = report(tmp_path, ablation=Ablation("mine.ablation.csv", rows, fits=False))

    assert "+0.50" not in made.html and "another version of the code" in made.html
    assert not made.questions[0].text.startswith("With flip=0")


def test_every_report_of_a_score_asks_three_questions_with_their_grounds(tmp_path: Path) -> None:
    for changes in ({}, {"networks": [], "recipe": None, "trained": "nothing"}, {"trained": "brought"}):
        made = report(tmp_path, **changes)
        assert len(made.questions) == 3 and all(question.because for question in made.questions)
    assert "Where do the weights" in made.questions[0].text


TABLE = (
    "trick,mean_pixel_error,mean_pixel_error_low,mean_pixel_error_high,difference,difference_low,difference_high,"
    "training_seconds,reason,source,data\n"
    "as it is,1.0,0.9,1.1,,,,2.0,,{source},{data}\n"
    "flip=0,1.5,1.4,1.6,0.5,0.4,0.6,2.0,,{source},{data}\n"
    "broken,,,,,,,2.0,it failed,{source},{data}\n"
)


@pytest.mark.parametrize(("source", "fits"), [("a" * 12, True), ("b" * 12, False)])
def test_an_ablation_is_found_by_its_name_and_fits_by_its_fingerprints(source: str, fits: bool, tmp_path: Path) -> None:
    (tmp_path / "mine.ablation.csv").write_text(TABLE.format(source=source, data="d" * 12))
    graded = entry("mine", 1.0, fingerprints={"source": "a" * 64, "data": "d" * 64})

    found = find_ablation(graded, tmp_path)

    assert found is not None and found.fits is fits
    assert found.tricks == [("flip=0", Estimate(0.5, 0.4, 0.6))]


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"a,b\n1,2\n", b"trick\nflip=0\n", TABLE.replace("0.5,", "inf,").encode()]
)
def test_a_table_that_is_no_ablation_is_passed_over(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "mine.ablation.csv").write_bytes(content)

    found = find_ablation(entry("mine", 1.0), tmp_path)

    assert found is None or not found.fits


@pytest.mark.parametrize(
    "curve",
    [
        None,
        {},
        {"epoch": [1]},
        {"epoch": [1], "error_px": ["x"], "validation_px": [1]},
        {"epoch": 1, "error_px": 1},
        [1],
    ],
)
def test_a_curve_of_another_form_is_left_out(curve: object, tmp_path: Path) -> None:
    made = report(tmp_path, networks=[NETWORK | {"curve": curve}])

    assert made.curves is None and "How did it learn?" not in made.html


def test_networks_are_shown_one_after_the_other(tmp_path: Path) -> None:
    later = NETWORK | {"curve": {"epoch": [4, 5], "error_px": [1e308, 0.0], "validation_px": [None, None]}}
    made = report(tmp_path, networks=[NETWORK, later | {"recipe": {"lr": 0.5}}], recipe=None)

    assert "network 2" in made.html and "Networks 2" in made.html and Page(made.html).wrong == []
    assert json.loads(made.entry.to_json())["networks"][1]["curve"]["epoch"] == [4, 5]
