from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.keypoints import FACE15, KeypointLayout


def small(**changes: object) -> KeypointLayout:
    return replace(
        KeypointLayout(
            name="small",
            keypoints=("left_eye", "right_eye", "nose"),
            mirror_pairs=(("left_eye", "right_eye"),),
            groups={"eyes": ("left_eye", "right_eye"), "nose": ("nose",)},
            inter_ocular=("left_eye", "right_eye"),
        ),
        **changes,
    )


def test_mirroring_twice_gives_the_face_back() -> None:
    keypoints = np.random.default_rng(0).uniform(0, 95, size=(4, 15, 2)).astype(np.float32)
    keypoints[1, 3] = np.nan

    np.testing.assert_allclose(FACE15.flip(FACE15.flip(keypoints, 96), 96), keypoints, atol=1e-4)


def test_a_mirrored_left_eye_is_where_the_right_eye_was() -> None:
    keypoints = np.array([[66.0, 39.0], [30.0, 36.0], [48.0, 60.0]])

    np.testing.assert_array_equal(small().flip(keypoints, 96), [[65.0, 36.0], [29.0, 39.0], [47.0, 60.0]])


def test_face15_is_kaggles() -> None:
    assert len(FACE15) == 15
    assert FACE15.columns[:4] == ("left_eye_center_x", "left_eye_center_y", "right_eye_center_x", "right_eye_center_y")
    assert FACE15.columns[-1] == "mouth_center_bottom_lip_y"
    assert sorted(k for group in FACE15.groups for k in FACE15.indices(group)) == list(range(15))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"keypoints": ()}, "has no keypoints"),
        ({"keypoints": ("left_eye", "left_eye", "right_eye", "nose")}, "'left_eye' is listed twice"),
        ({"mirror_pairs": (("left_eye", "rite_eye"),)}, "'rite_eye' is not a keypoint"),
        ({"mirror_pairs": (("left_eye", "nose"),)}, "'left_eye' mirrors 'right_eye'"),
        ({"mirror_pairs": (("left_eye", "right_eye"), ("right_eye", "left_eye"))}, "mirroring twice"),
        ({"mirror_pairs": ()}, "'left_eye' has a side but no mirror pair"),
        ({"groups": {"eyes": ("left_eye", "right_eye")}}, "'nose' is in 0 groups"),
        ({"groups": {"all": ("left_eye", "right_eye", "nose"), "nose": ("nose",)}}, "'nose' is in 2 groups"),
        ({"inter_ocular": ("left_eye", "chin")}, "'chin' is not a keypoint"),
    ],
)
def test_a_layout_that_contradicts_itself_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small(**changes)
