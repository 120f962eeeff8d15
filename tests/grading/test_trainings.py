"""Several trainings of one submission, graded as one: ``grade --seeds N``."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.submissions import estimator, grade
from support.tiny import Tiny

from harness.cli import main
from harness.estimates import Bootstrap, Estimate, over_trainings

LUCKY = estimator(
    fit="self.off = np.random.default_rng(0).normal(size=2) * 0 + np.random.normal(size=2)",
    predict="return np.tile([15.0, 16.0] + self.off, (len(images), 15, 1))",
)
"""Its error depends on its seed."""


def test_the_mean_of_the_trainings_counts_and_every_seed_is_named(
    tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    code, entry = grade(tiny, LUCKY, "--seeds", "3", "--work", "runs")

    values = [each["scores"]["mean_pixel_error"] for each in entry["trainings"]]
    assert code == 0
    assert [each["seed"] for each in entry["trainings"]] == [0, 1, 2] and len(set(values)) == 3
    assert entry["scores"]["mean_pixel_error"]["value"] == pytest.approx(np.mean(values))
    shown = capsys.readouterr()
    assert "Trained 3 times; the score is the mean" in shown.out and f"seed 1: {values[1]:.2f} px" in shown.out
    assert "training 2 of 3 is done" in shown.err

    # What is kept is enough to compute the mean again, and a training that was made before is not made again.
    assert main(["leaderboard", "verify", "--benchmark", str(tiny.card), "--data", str(tiny.data)]) == 0
    assert "1 of them scored again" in capsys.readouterr().out
    kept = sorted((tiny.root / "runs").glob("*.npz"))
    one = grade(tiny, LUCKY, "--seed", "1", "--work", "runs", "--no-record")[1]
    assert one["scores"]["mean_pixel_error"]["value"] == pytest.approx(values[1]) and one["trainings"] == []
    assert sorted((tiny.root / "runs").glob("*.npz")) == kept


def test_a_card_may_say_how_often_and_the_command_line_comes_first(
    tiny: Tiny, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.card.write_text("seeds = 2\n" + tiny.card.read_text())

    assert len(grade(tiny, LUCKY, "--seed", "5")[1]["trainings"]) == 2
    assert grade(tiny, LUCKY, "--seeds", "1")[1]["trainings"] == []
    with pytest.raises(FileNotFoundError):  # no entry
        grade(tiny, LUCKY, "--save-weights", "w.safetensors")
    assert "--save-weights goes with one training, and this is 2; say --seeds 1" in capsys.readouterr().err


def test_one_training_that_fails_fails_the_submission_and_is_named(tiny: Tiny) -> None:
    code, entry = grade(tiny, estimator(fit="assert np.random.get_state()[1][0] != 1, 'bad luck'"), "--seeds", "3")

    assert code == 2
    assert entry["reason"].startswith("with seed 1: ") and "bad luck" in entry["reason"]


def test_the_interval_is_over_subjects_and_trainings() -> None:
    each = [Estimate(value, value - 0.3, value + 0.4) for value in (1.0, 1.1, 1.3)]

    together = over_trainings(each)

    luck = 4.302653 * np.std([1.0, 1.1, 1.3], ddof=1) / math.sqrt(3)  # Student's t with two degrees of freedom
    assert together.value == pytest.approx(3.4 / 3)
    assert together.value - together.low == pytest.approx(math.hypot(0.3, luck))
    assert together.high - together.value == pytest.approx(math.hypot(0.4, luck))
    assert over_trainings(each[:1]) == each[0]


def test_intervals_hold_the_true_error_as_often_as_they_say() -> None:
    """Subjects, trainings and what one training makes of one subject, each drawn at random."""
    rng, hits, tries = np.random.default_rng(0), 0, 400
    subjects = Bootstrap(np.arange(40))
    for _ in range(tries):
        easy = rng.normal(3, 0.3, 40)
        trainings = [easy + rng.normal(0, 0.1) + rng.normal(0, 0.05, 40) for _ in range(4)]
        estimate = over_trainings([subjects.mean(each) for each in trainings])
        hits += estimate.low <= 3 <= estimate.high

    assert 0.93 <= hits / tries <= 0.99
