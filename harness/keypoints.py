"""Keypoint layouts: which named points a face has, which mirror each other, which belong together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class KeypointLayout:
    """An ordered list of K keypoints and what is known about them.

    "Left" and "right" are the subject's: on an upright frontal photograph a left point lies at the right.

    Attributes:
        name: what cards call the layout.
        keypoints: the K names, in the order of axis 1 of every keypoint array (N, K, 2).
        mirror_pairs: pairs of names that change places when a face is mirrored; the rest map to themselves.
        groups: named parts of the face; together they hold every keypoint exactly once.
        inter_ocular: the two keypoints whose distance normalises the nme (300-W takes the outer eye corners).

    Raises:
        ValueError: the layout contradicts itself; the message names the keypoint and the remedy.
    """

    name: str
    keypoints: tuple[str, ...]
    mirror_pairs: tuple[tuple[str, str], ...]
    groups: Mapping[str, tuple[str, ...]]
    inter_ocular: tuple[str, str]

    def __post_init__(self) -> None:
        self._assert_known()
        self._assert_mirrors()
        self._assert_groups()

    def __len__(self) -> int:
        return len(self.keypoints)

    @cached_property
    def swap(self) -> tuple[int, ...]:
        """Where each keypoint's mirror image comes from: ``mirrored = keypoints[:, swap]``, of length K."""
        partner = {a: b for pair in self.mirror_pairs for a, b in (pair, pair[::-1])}
        return tuple(self.index(partner.get(name, name)) for name in self.keypoints)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The 2K coordinate names in Kaggle's form: ``nose_tip_x, nose_tip_y, ...``."""
        return tuple(f"{name}_{axis}" for name in self.keypoints for axis in "xy")

    def index(self, name: str) -> int:
        """Position of a keypoint on axis 1."""
        return self.keypoints.index(name)

    def indices(self, group: str) -> tuple[int, ...]:
        """Positions of a group's keypoints on axis 1."""
        return tuple(self.index(name) for name in self.groups[group])

    def flip(self, keypoints: NDArray[np.floating], width: int) -> NDArray[np.floating]:
        """Mirror keypoints (..., K, 2) of images ``width`` pixels wide: x -> width - 1 - x, and left for right.

        Pixel centres lie at whole numbers, so the middle of a 96-pixel row is 47.5. Missing points stay NaN.
        """
        mirrored = keypoints[..., list(self.swap), :].copy()
        mirrored[..., 0] = width - 1 - mirrored[..., 0]
        return mirrored

    def _assert_known(self) -> None:
        if not self.keypoints:
            raise ValueError(f"layout {self.name!r} has no keypoints; list their names")
        doubled = [name for name, times in Counter(self.keypoints).items() if times > 1]
        if doubled:
            raise ValueError(f"keypoint {doubled[0]!r} is listed twice; every name stands for one point")
        named = [name for pair in self.mirror_pairs for name in pair]
        named += [name for members in self.groups.values() for name in members]
        for name in [*named, *self.inter_ocular]:
            if name not in self.keypoints:
                raise ValueError(f"{name!r} is not a keypoint of layout {self.name!r}; correct its spelling")

    def _assert_mirrors(self) -> None:
        paired = Counter(name for pair in self.mirror_pairs for name in pair)
        for name, times in paired.items():
            if times > 1:
                raise ValueError(
                    f"keypoint {name!r} is in {times} mirror pairs, so mirroring twice would not restore the face; "
                    "name it in one pair, with one partner"
                )
        for a, b in self.mirror_pairs:
            if _mirrored_name(a) != b:
                raise ValueError(
                    f"mirror pair ({a!r}, {b!r}) does not match its names; {a!r} mirrors {_mirrored_name(a)!r}"
                )
        for name in self.keypoints:
            if _mirrored_name(name) != name and name not in paired:
                raise ValueError(f"keypoint {name!r} has a side but no mirror pair; pair it with its other side")

    def _assert_groups(self) -> None:
        grouped = Counter(name for members in self.groups.values() for name in members)
        for name in self.keypoints:
            if grouped[name] != 1:
                raise ValueError(f"keypoint {name!r} is in {grouped[name]} groups; put it in exactly one")


def _mirrored_name(name: str) -> str:
    sides = {"left": "right", "right": "left"}
    return "_".join(sides.get(word, word) for word in name.split("_"))


FACE15 = KeypointLayout(
    name="face15",
    keypoints=(
        "left_eye_center",
        "right_eye_center",
        "left_eye_inner_corner",
        "left_eye_outer_corner",
        "right_eye_inner_corner",
        "right_eye_outer_corner",
        "left_eyebrow_inner_end",
        "left_eyebrow_outer_end",
        "right_eyebrow_inner_end",
        "right_eyebrow_outer_end",
        "nose_tip",
        "mouth_left_corner",
        "mouth_right_corner",
        "mouth_center_top_lip",
        "mouth_center_bottom_lip",
    ),
    mirror_pairs=(
        ("left_eye_center", "right_eye_center"),
        ("left_eye_inner_corner", "right_eye_inner_corner"),
        ("left_eye_outer_corner", "right_eye_outer_corner"),
        ("left_eyebrow_inner_end", "right_eyebrow_inner_end"),
        ("left_eyebrow_outer_end", "right_eyebrow_outer_end"),
        ("mouth_left_corner", "mouth_right_corner"),
    ),
    groups={
        "eyes": (
            "left_eye_center",
            "right_eye_center",
            "left_eye_inner_corner",
            "left_eye_outer_corner",
            "right_eye_inner_corner",
            "right_eye_outer_corner",
        ),
        "brows": (
            "left_eyebrow_inner_end",
            "left_eyebrow_outer_end",
            "right_eyebrow_inner_end",
            "right_eyebrow_outer_end",
        ),
        "nose": ("nose_tip",),
        "mouth": (
            "mouth_left_corner",
            "mouth_right_corner",
            "mouth_center_top_lip",
            "mouth_center_bottom_lip",
        ),
    },
    inter_ocular=("left_eye_outer_corner", "right_eye_outer_corner"),
)
"""The fifteen keypoints of Kaggle's Facial Keypoints Detection, in the order of its ``training.csv``."""

LAYOUTS = {layout.name: layout for layout in (FACE15,)}
"""The layouts that a card can name."""
