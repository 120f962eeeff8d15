from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.faces import faces

from harness.datasets.faces import FaceSet
from harness.grading.scoring import Scorecard, score
from harness.keypoints import FACE15


def score_all(predictions: np.ndarray, held_out: FaceSet) -> Scorecard:
    return score(predictions.astype(np.float32), held_out, {"full": np.ones(len(held_out), bool)})


def test_every_point_3_right_and_4_down_is_5_pixels_off() -> None:
    held_out = faces()

    metrics = score_all(held_out.keypoints + np.array([3, 4]), held_out).headline.metrics

    for name in ("mean_pixel_error", "median", "percentile_95"):
        assert metrics[name].value == pytest.approx(5, abs=1e-4)
    # The coordinate errors are 3 and 4: the root of (9 + 16) / 2.
    assert metrics["rmse"].value == pytest.approx(np.sqrt(12.5), abs=1e-4)
    assert metrics["mean_pixel_error"].low == pytest.approx(metrics["mean_pixel_error"].high, abs=1e-4)


def test_nme_is_the_distance_over_that_of_the_outer_eye_corners() -> None:
    held_out = faces()
    left, right = (FACE15.index(f"{side}_eye_outer_corner") for side in ("left", "right"))
    held_out.keypoints[:, left], held_out.keypoints[:, right] = (70, 40), (30, 40)

    near = score_all(held_out.keypoints + np.array([3, 0]), held_out).headline.metrics
    far = score_all(held_out.keypoints + np.array([6, 0]), held_out).headline.metrics

    assert near["nme"].value == pytest.approx(3 / 40, abs=1e-5)
    assert (near["failure_rate"].value, far["failure_rate"].value) == (0, 1)
    # The cumulative curve steps from 0 to 1 at 0.075 of 0.1.
    assert near["auc"].value == pytest.approx(0.25, abs=1e-4)


@pytest.mark.parametrize(
    ("nme_by", "unit"), [("image", 96), ("box", np.sqrt(40 * 20)), (("nose_tip", "left_eye_center"), 20), (None, None)]
)
def test_a_layout_without_eye_corners_says_what_the_nme_divides_by(nme_by, unit) -> None:
    held_out = faces()
    held_out.keypoints[:] = (50, 50)
    held_out.keypoints[:, FACE15.index("left_eye_center")] = (70, 50)
    held_out.keypoints[:, FACE15.index("right_eye_center")] = (30, 50)
    held_out.keypoints[:, FACE15.index("mouth_center_bottom_lip")] = (50, 70)
    held_out = replace(held_out, layout=replace(FACE15, nme_by=nme_by))

    metrics = score_all(held_out.keypoints + np.array([3, 0]), held_out).headline.metrics

    assert ("nme" in metrics) == (unit is not None)
    if unit:
        assert metrics["nme"].value == pytest.approx(3 / unit, abs=1e-5)


def test_only_a_missing_label_masks() -> None:
    held_out = faces()
    predictions = held_out.keypoints + np.array([1, 0])
    predictions[:, 3] += 100
    held_out.keypoints[:, 3] = np.nan

    card = score_all(predictions, held_out)

    assert card.headline.metrics["mean_pixel_error"].value == pytest.approx(1, abs=1e-4)
    assert card.headline.points == 40 * 14
    assert FACE15.keypoints[3] not in card.headline.keypoints


def test_groups_and_keypoints_are_scored_by_themselves() -> None:
    held_out = faces()
    predictions = held_out.keypoints.copy()
    predictions[:, FACE15.index("nose_tip"), 0] += 6

    headline = score_all(predictions, held_out).headline

    assert headline.groups["nose"].value == headline.keypoints["nose_tip"].value == pytest.approx(6, abs=1e-4)
    assert headline.groups["eyes"].value == 0
    assert headline.metrics["mean_pixel_error"].value == pytest.approx(6 / 15, abs=1e-4)


def test_strata_are_scored_by_themselves_and_the_first_is_the_headline() -> None:
    held_out = faces()
    first = np.arange(40) < 10
    predictions = held_out.keypoints + np.where(first, 1, 2)[:, None, None] * np.array([1, 0])

    card = score(predictions.astype(np.float32), held_out, {"full": first, "partial": ~first})

    assert card.headline is card.strata["full"]
    assert [s.metrics["mean_pixel_error"].value for s in card.strata.values()] == pytest.approx([1, 2], abs=1e-4)


def test_the_interval_is_as_wide_as_independent_subjects_make_it() -> None:
    """Forty images of ten subjects who each err by their own amount: the mean of ten, not of forty."""
    held_out = faces()
    error = np.linspace(0, 9, 10)[held_out.subjects]

    interval = score_all(held_out.keypoints + error[:, None, None] * np.array([1, 0]), held_out).headline.metrics[
        "mean_pixel_error"
    ]

    standard_error = np.linspace(0, 9, 10).std() / np.sqrt(10)
    assert interval.value == pytest.approx(4.5, abs=1e-3)
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * standard_error, rel=0.1)


def test_where_one_subject_is_known_images_are_drawn() -> None:
    held_out = faces(subjects=1)
    error = np.linspace(0, 9, 40)

    interval = score_all(held_out.keypoints + error[:, None, None] * np.array([1, 0]), held_out).headline.metrics[
        "median"
    ]

    assert interval.low < interval.value < interval.high
