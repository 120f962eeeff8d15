"""What a score is worth in a grade book, by each of the three ways that a card can say it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.tiny import CARD

from harness.benchmark import Benchmark, load_benchmark
from harness.errors import CardError
from harness.points import total

BANDS = 'by = "bands"\nok = 10\nvery_good = 15\noutstanding = 20'
LINE = 'by = "line"\nmost = 20\nall_at = 1.0\nnone_at = 3'
BASELINES = 'by = "baselines"\n[points.beat]\nlenet = { score = 1.5, points = 9 }\nmean = { score = 3, points = 4 }'


ERRORS = {"ok": 1.6, "very_good": 1.5, "outstanding": 1.4}
SHARES = {"ok": 0.4, "very_good": 0.5, "outstanding": 0.6}


def card(folder: Path, points: str, metric: str = "mean_pixel_error", bands: dict[str, float] = ERRORS) -> Benchmark:
    text = CARD.replace("mean_pixel_error", metric) + (f"\n[points]\n{points}\n" if points else "")
    for band, edge in bands.items():
        text = re.sub(rf"(?m)^{band} = (20.0|10.0|0.5)$", f"{band} = {edge}", text)
    (folder / "card.toml").write_text(text)
    return load_benchmark(folder / "card.toml")


def points(benchmark: Benchmark, *values: float | None) -> list[float]:
    return [total(benchmark.marks(value))[0] for value in values]


@pytest.mark.parametrize(
    ("table", "of", "earned"),
    [
        (BANDS, 20, {1.7: 0, 1.6: 10, 1.5: 15, 1.41: 15, 1.4: 20, 0.0: 20, None: 0}),
        (LINE, 20, {9.0: 0, 3.0: 0, 2.0: 10, 1.85: 11.5, 1.0: 20, 0.1: 20, None: 0}),
        (BASELINES, 9, {3.1: 0, 3.0: 0, 2.99: 4, 1.5: 4, 1.49: 9, None: 0}),
        ("", 3, {1.7: 0, 1.6: 1, 1.5: 2, 1.4: 3, None: 0}),
    ],
    ids=["bands", "line", "baselines", "a card that does not say"],
)
def test_a_card_says_what_a_score_is_worth(
    tmp_path: Path, table: str, of: float, earned: dict[float | None, float]
) -> None:
    benchmark = card(tmp_path, table)

    assert points(benchmark, *earned) == list(earned.values())
    assert {total(benchmark.marks(value))[1] for value in earned} == {of}


def test_where_more_is_better_points_rise_with_the_value(tmp_path: Path) -> None:
    line = LINE.replace("all_at = 1.0", "all_at = 0.9").replace("none_at = 3", "none_at = 0.4")

    assert points(card(tmp_path, BANDS, "auc", SHARES), 0.39, 0.4, 0.55, 0.7) == [0, 10, 15, 20]
    assert points(card(tmp_path, line, "auc", SHARES), 0.3, 0.65, 0.95) == [0, 10, 20]


def test_marks_say_what_each_part_is_given_for(tmp_path: Path) -> None:
    marks = card(tmp_path, BANDS).marks(1.55)

    assert [(mark.name, mark.points, mark.max_points, mark.reached) for mark in marks] == [
        ("ok: mean pixel error of at most 1.6 px", 10, 10, True),
        ("very good: mean pixel error of at most 1.5 px", 0, 5, False),
        ("outstanding: mean pixel error of at most 1.4 px", 0, 5, False),
    ]
    assert card(tmp_path, LINE).marks(2.0)[0].name == "mean pixel error: none at 3 px, all at 1 px"
    assert card(tmp_path, BASELINES).marks(2.0)[1].name == "better than lenet: mean pixel error of 1.5 px"


def test_tenths_of_points_add_up(tmp_path: Path) -> None:
    tenths = BANDS.replace("10", "0.1").replace("15", "0.2").replace("20", "0.3")

    assert points(card(tmp_path, tenths), 1.5, 1.4) == [0.2, 0.3]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("ok = 1", r"key 'points.by' must be 'bands', 'line' or 'baselines'"),
        ('by = "luck"', r"key 'points.by' must be 'bands', 'line' or 'baselines'"),
        ('by = "bands"\nok = 1\nvery_good = 2', r"key 'points.outstanding' is missing; add it"),
        (BANDS.replace("15", "5"), r"key 'points': a better band should not be worth less"),
        (BANDS.replace("10", "-1"), r"key 'points.ok': Input should be greater than or equal to 0"),
        (BANDS.replace("20", "inf"), r"key 'points.outstanding': Input should be"),
        (BANDS + "\nawful = 1", r"unknown key 'points.awful'"),
        (LINE.replace("1.0", "4.0"), r"key 'points': all_at \(4\) should be better than none_at \(3\)"),
        (LINE.replace("1.0", "3"), r"key 'points': all_at \(3\) should be better than none_at \(3\)"),
        ('by = "baselines"\nbeat = {}', r"key 'points.beat': Dictionary should have at least 1 item"),
        (BASELINES.replace("points = 9", "points = 1"), r"key 'points': a better baseline should not be worth less"),
        (BASELINES.replace("score = 1.5, ", ""), r"key 'points.beat.lenet.score' is missing; add it"),
    ],
)
def test_a_table_of_points_that_cannot_be_meant_is_a_sentence(tmp_path: Path, table: str, message: str) -> None:
    with pytest.raises(CardError, match=message):
        card(tmp_path, table)
