"""Two predictions of the same faces, compared pair by pair: ``compare()`` and ``harness compare``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from support.faces import faces
from support.tiny import Tiny

from harness.benchmark import load_benchmark
from harness.cli import main
from harness.cli.grade import main as grade
from harness.datasets.faces import FaceSet
from harness.datasets.opening import open_split
from harness.grading.predictions import write_wide
from harness.grading.scoring import Comparison, compare, score
from harness.keypoints import FACE15


def moved(held_out: FaceSet, pixels: float | np.ndarray) -> np.ndarray:
    """Predictions that lie this far to the right of the truth: one distance, or one for each image."""
    right = np.broadcast_to(pixels, len(held_out))[:, None, None] * np.array([1, 0])
    return (held_out.keypoints + right).astype(np.float32)


def compare_all(first: np.ndarray, second: np.ndarray, held_out: FaceSet) -> Comparison:
    return compare(first, second, held_out, np.ones(len(held_out), bool))


def test_the_difference_is_the_seconds_error_less_the_firsts() -> None:
    held_out = faces()

    comparison = compare_all(moved(held_out, 3), moved(held_out, 2), held_out)

    assert comparison.difference.value == pytest.approx(-1, abs=1e-4)
    assert comparison.difference.excludes_zero
    assert {group: metric.value for group, metric in comparison.groups.items()} == pytest.approx(
        dict.fromkeys(FACE15.groups, -1), abs=1e-4
    )


def test_pairing_finds_a_difference_that_overlapping_intervals_hide() -> None:
    """Some subjects are hard for both, and the second errs 0.1 px less on each."""
    held_out = faces()
    error = np.linspace(1, 9, 10)[held_out.subjects]
    first, second = moved(held_out, error), moved(held_out, error - 0.1)
    every = {"full": np.ones(len(held_out), bool)}

    before, after = (score(each, held_out, every).headline.metrics["mean_pixel_error"] for each in (first, second))
    difference = compare_all(first, second, held_out).difference

    assert before.low < after.high
    assert difference.high < 0
    assert difference.value == pytest.approx(after.value - before.value)


def test_the_interval_is_as_wide_as_independent_subjects_make_it() -> None:
    held_out = faces()
    worse = np.linspace(-1, 1, 10)[held_out.subjects]

    difference = compare_all(moved(held_out, 5), moved(held_out, 5 + worse), held_out).difference

    standard_error = np.linspace(-1, 1, 10).std() / np.sqrt(10)
    assert difference.high - difference.low == pytest.approx(2 * 1.96 * standard_error, rel=0.1)
    assert not difference.excludes_zero


def test_only_the_rows_of_the_stratum_and_the_labelled_points_count() -> None:
    held_out = faces()
    held_out.keypoints[:, FACE15.index("nose_tip")] = np.nan
    first, second = (np.nan_to_num(moved(held_out, pixels)) for pixels in (1, 3))
    rows = np.arange(len(held_out)) < 20
    second[~rows] += 100

    comparison = compare(first, second, held_out, rows)

    assert comparison.difference.value == pytest.approx(2, abs=1e-4)
    assert "nose" not in comparison.groups


def tiny_predictions(tiny: Tiny, pixels: float, name: str) -> str:
    """A file with predictions of the tiny benchmark that lie this far from the truth."""
    held_out = open_split(load_benchmark(tiny.card), tiny.data).held_out
    predictions = np.nan_to_num(moved(held_out, pixels))
    if name.endswith(".csv"):
        write_wide(Path(name), predictions, np.arange(1, len(held_out) + 1), FACE15)
    else:
        np.save(name, predictions)
    return name


def test_two_files_are_compared_in_words_and_in_json(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    files = [tiny_predictions(tiny, 2, "before.npy"), tiny_predictions(tiny, 1, "after.csv")]

    assert main(["compare", *files, "--json", "out.json", "--benchmark", str(tiny.card), "--data", str(tiny.data)]) == 0

    shown = capsys.readouterr().out
    assert "B - A  -1.000" in shown and "The interval excludes zero: B has a smaller error than A." in shown
    written = json.loads(Path("out.json").read_text())
    assert (written["first"]["value"], written["second"]["value"]) == pytest.approx((2, 1), abs=1e-3)
    assert written["difference"]["value"] == pytest.approx(-1, abs=1e-3) and written["excludes_zero"]
    assert set(written["groups"]) == set(FACE15.groups)


def test_what_a_link_leads_to_is_written_and_the_link_stays(tiny: Tiny) -> None:
    """As root, a file in the place of the link ``/dev/stdout`` would take it from every other program."""
    file = tiny_predictions(tiny, 1, "one.npy")
    Path("link.json").symlink_to("real.json")
    data = ["--benchmark", str(tiny.card), "--data", str(tiny.data)]

    assert main(["compare", file, file, "--json", "link.json", *data]) == 0

    assert Path("link.json").is_symlink()
    assert json.loads(Path("real.json").read_text())["difference"]["value"] == 0


def test_folders_that_grade_wrote_are_compared(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--benchmark", str(tiny.card), "--data", str(tiny.data)]
    files = [tiny_predictions(tiny, 1, name) for name in ("one.csv", "two.csv")]
    grade([*files, "--out", "result", "--no-record", *data])

    assert main(["compare", "result/one", "result/two", *data]) == 0
    assert "The interval includes zero" in capsys.readouterr().out

    tiny.card.write_text(tiny.card.read_text().replace("seed = 0", "seed = 1"))
    assert main(["compare", "result/one", "result/two", *data]) == 3
    assert "was graded on other data" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "told"), [("gone.npy", "there is no such .npy, .npz or .csv file"), ("result", "has no predictions.csv")]
)
def test_what_is_not_there_is_named(tiny: Tiny, name: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("result").mkdir()
    other = tiny_predictions(tiny, 1, "other.npy")

    assert main(["compare", other, name, "--benchmark", str(tiny.card), "--data", str(tiny.data)]) == 2
    assert f"{name}: {told}" in capsys.readouterr().err
