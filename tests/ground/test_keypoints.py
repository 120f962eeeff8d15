from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.keypoints import FACE15, LAYOUTS, KeypointLayout


def small(**changes: object) -> KeypointLayout:
    return replace(
        KeypointLayout(
            name="small",
            keypoints=("left_eye", "right_eye", "nose"),
            mirror_pairs=(("left_eye", "right_eye"),),
            groups={"eyes": ("left_eye", "right_eye"), "nose": ("nose",)},
            nme_by=("left_eye", "right_eye"),
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


# The pairs of 300-W, counted from 0, and of WFLW, as published networks flip them.
_PAIRS68 = (
    *(*((k, 16 - k) for k in range(8)), *((17 + k, 26 - k) for k in range(5)), (31, 35), (32, 34), (36, 45), (37, 44)),
    *((38, 43), (39, 42), (40, 47), (41, 46), (48, 54), (49, 53), (50, 52), (55, 59), (56, 58), (60, 64), (61, 63)),
    (65, 67),
)
_PAIRS98 = (
    *(*((k, 32 - k) for k in range(16)), *((33 + k, 46 - k) for k in range(5)), (38, 50), (39, 49), (40, 48), (41, 47)),
    *(*((60 + k, 72 - k) for k in range(5)), (65, 75), (66, 74), (67, 73), (55, 59), (56, 58), (76, 82), (77, 81)),
    *((78, 80), (83, 87), (84, 86), (88, 92), (89, 91), (93, 95), (96, 97)),
)


@pytest.mark.parametrize(
    ("name", "pairs", "outer_eye_corners"), [("ibug68", _PAIRS68, (36, 45)), ("wflw98", _PAIRS98, (60, 72))]
)
def test_built_in_layouts_are_the_published_ones(name: str, pairs: tuple, outer_eye_corners: tuple) -> None:
    layout = LAYOUTS[name]
    expected = list(range(int(name[-2:])))
    for a, b in pairs:
        expected[a], expected[b] = b, a

    assert list(layout.swap) == expected
    assert tuple(map(layout.index, layout.nme_by)) == outer_eye_corners


def test_numbered_keypoints_are_paired_as_the_card_says() -> None:
    layout = small(
        keypoints=("1", "2", "left_3", "right_4"),
        mirror_pairs=(("1", "2"), ("left_3", "right_4")),
        groups={"all": ("1", "2", "left_3", "right_4")},
        nme_by="box",
    )

    assert layout.swap == (1, 0, 3, 2)


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
        ({"mirror_pairs": (("left_eye", "nose"),)}, "'left_eye' has a side, 'nose' has none"),
        ({"mirror_pairs": (("nose", "nose"),)}, "'nose' is paired with itself"),
        ({"mirror_pairs": (("left_eye", "right_eye"), ("right_eye", "left_eye"))}, "mirroring twice"),
        ({"mirror_pairs": ()}, "'left_eye' has a side but no mirror pair"),
        ({"groups": {"eyes": ("left_eye", "right_eye")}}, "'nose' is in 0 groups"),
        ({"groups": {"all": ("left_eye", "right_eye", "nose"), "nose": ("nose",)}}, "'nose' is in 2 groups"),
        ({"nme_by": ("left_eye", "chin")}, "'chin' is not a keypoint"),
        ({"nme_by": ("left_eye", "left_eye")}, "name two keypoints"),
    ],
)
def test_a_layout_that_contradicts_itself_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small(**changes)
