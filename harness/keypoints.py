"""Keypoint layouts: which named points a face has, which mirror each other, which belong together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

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
        nme_by: what the nme divides an image's error by: the distance of two keypoints (300-W and WFLW take the outer
            eye corners); "box", the root of the area of the box around the labelled keypoints; "image", that of the
            image; None where nothing is said, and there is no nme.

    Raises:
        ValueError: the layout contradicts itself; the message names the keypoint and the remedy.
    """

    name: str
    keypoints: tuple[str, ...]
    mirror_pairs: tuple[tuple[str, str], ...]
    groups: Mapping[str, tuple[str, ...]]
    nme_by: tuple[str, str] | Literal["box", "image"] | None = None

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

    @property
    def nme_unit(self) -> str:
        """What the nme divides by, in words."""
        if self.nme_by is None or isinstance(self.nme_by, str):
            return {"box": "the size of the box around the keypoints", "image": "the size of the image"}.get(
                self.nme_by or "", "nothing"
            )
        first, second = (name.replace("_", " ") for name in self.nme_by)
        return f"the distance from {first} to {second}"

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
        if self.nme_by is not None and self.nme_by not in ("box", "image"):
            if len(set(self.nme_by)) < 2:
                raise ValueError(f"the nme divides by the distance of {self.nme_by!r}; name two keypoints")
            named += self.nme_by
        for name in named:
            if name not in self.keypoints:
                raise ValueError(f"{name!r} is not a keypoint of layout {self.name!r}; correct its spelling")

    def _assert_mirrors(self) -> None:
        for a, b in self.mirror_pairs:
            if a == b:
                raise ValueError(f"keypoint {a!r} is paired with itself; what mirrors itself needs no pair")
        paired = Counter(name for pair in self.mirror_pairs for name in pair)
        for name, times in paired.items():
            if times > 1:
                raise ValueError(
                    f"keypoint {name!r} is in {times} mirror pairs, so mirroring twice would not restore the face; "
                    "name it in one pair, with one partner"
                )
        for a, b in self.mirror_pairs:
            for one, other in ((a, b), (b, a)):
                if _other_side(one) and not _other_side(other):
                    raise ValueError(
                        f"mirror pair ({a!r}, {b!r}) does not match its names: {one!r} has a side, {other!r} has none; "
                        "pair keypoints of the two sides"
                    )
        for name in self.keypoints:
            if name not in paired and _other_side(name) in self.keypoints:
                raise ValueError(f"keypoint {name!r} has a side but no mirror pair; pair it with {_other_side(name)!r}")

    def _assert_groups(self) -> None:
        grouped = Counter(name for members in self.groups.values() for name in members)
        for name in self.keypoints:
            if grouped[name] != 1:
                raise ValueError(f"keypoint {name!r} is in {grouped[name]} groups; put it in exactly one")


def _other_side(name: str) -> str | None:
    """A name with its sides changed; None where it has none, as a number has."""
    sides = {"left": "right", "right": "left"}
    mirrored = "_".join(sides.get(word, word) for word in name.split("_"))
    return mirrored if mirrored != name else None


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
    nme_by=("left_eye_outer_corner", "right_eye_outer_corner"),
)
"""The fifteen keypoints of Kaggle's Facial Keypoints Detection, in the order of its ``training.csv``."""


def _sides(name: str) -> tuple[str, str]:
    """A name with ``{}`` for the side, as the subject's right and left."""
    return name.format("right"), name.format("left")


def _around(pairs: list[tuple[str, str]], *middle: str) -> list[str]:
    """From the subject's right over the middle to the left; pairs go from the outside inwards."""
    return [right for right, _ in pairs] + list(middle) + [left for _, left in reversed(pairs)]


_OUTER_EYE_CORNERS = _sides("{}_eye_outer_corner")
_JAW = [_sides(f"{{}}_jaw_{k}") for k in range(1, 17)]  # from the ear to the chin
_RIDGE = ["nose_ridge_1", "nose_ridge_2", "nose_ridge_3", "nose_tip"]
_NOSTRILS = [_sides("{}_nostril_outer"), _sides("{}_nostril_inner")]
_UPPER_LIP = [_sides(f"upper_lip_{{}}_{part}") for part in ("outer", "peak")]
_LOWER_LIP = [_sides(f"lower_lip_{{}}_{part}") for part in ("outer", "middle")]
_CORNER, _INNER_CORNER = _sides("mouth_{}_corner"), _sides("mouth_{}_inner_corner")
_INNER_UPPER, _INNER_LOWER = _sides("upper_lip_{}_inside"), _sides("lower_lip_{}_inside")
_MOUTH = [
    *_around([_CORNER, *_UPPER_LIP], "upper_lip_center"),
    *reversed(_around(_LOWER_LIP, "lower_lip_center")),
    *_around([_INNER_CORNER, _INNER_UPPER], "upper_lip_center_inside"),
    *reversed(_around([_INNER_LOWER], "lower_lip_center_inside")),
]
_LOWER_FACE = [*_NOSTRILS, _CORNER, *_UPPER_LIP, *_LOWER_LIP, _INNER_CORNER, _INNER_UPPER, _INNER_LOWER]


def _ibug68() -> KeypointLayout:
    jaw = _JAW[:8]
    brows = [_sides(f"{{}}_eyebrow_{k}") for k in range(1, 6)]  # from the outer to the inner end
    upper_lid = ["outer_corner", "upper_outer", "upper_inner", "inner_corner"]
    eyes = [_sides(f"{{}}_eye_{part}") for part in [*upper_lid, "lower_inner", "lower_outer"]]
    groups = {
        "jaw": _around(jaw, "chin"),
        "brows": _around(brows),
        "nose": [*_RIDGE, *_around(_NOSTRILS, "nose_base")],
        "eyes": [eyes[k][0] for k in range(6)] + [eyes[k][1] for k in (3, 2, 1, 0, 5, 4)],
        "mouth": _MOUTH,
    }
    return KeypointLayout(
        name="ibug68",
        keypoints=tuple(name for members in groups.values() for name in members),
        mirror_pairs=(*jaw, *brows, *eyes, *_LOWER_FACE),
        groups={group: tuple(members) for group, members in groups.items()},
        nme_by=_OUTER_EYE_CORNERS,
    )


def _wflw98() -> KeypointLayout:
    above, below = ("outer_end", "upper_1", "upper_2", "upper_3", "inner_upper"), ("inner_lower", "lower_3", "lower_2")
    brows = [_sides(f"{{}}_eyebrow_{part}") for part in (*above, *below, "lower_1")]
    upper_lid = ["outer_corner", "upper_outer", "upper_middle", "upper_inner", "inner_corner"]
    eyes = [_sides(f"{{}}_eye_{part}") for part in [*upper_lid, "lower_inner", "lower_middle", "lower_outer"]]
    pupils = _sides("{}_pupil")
    groups = {
        "jaw": _around(_JAW, "chin"),
        "brows": [right for right, _ in brows] + [brows[k][1] for k in (4, 3, 2, 1, 0, 8, 7, 6, 5)],
        "nose": [*_RIDGE, *_around(_NOSTRILS, "nose_base")],
        "eyes": [right for right, _ in eyes] + [eyes[k][1] for k in (4, 3, 2, 1, 0, 7, 6, 5)],
        "mouth": _MOUTH,
    }
    return KeypointLayout(
        name="wflw98",
        keypoints=(*(name for members in groups.values() for name in members), *pupils),
        mirror_pairs=(*_JAW, *brows, *eyes, *_LOWER_FACE, pupils),
        groups={group: (*members, *(pupils if group == "eyes" else ())) for group, members in groups.items()},
        nme_by=_OUTER_EYE_CORNERS,
    )


IBUG68 = _ibug68()
"""The 68 points of 300-W, in the order of iBUG's figure: jaw 1-17, brows 18-27, nose 28-36, eyes 37-48, mouth 49-68."""

WFLW98 = _wflw98()
"""The 98 points of WFLW, in its order from 0: jaw 0-32, brows 33-50, nose 51-59, eyes 60-75, mouth 76-95, pupils."""

LAYOUTS = {layout.name: layout for layout in (FACE15, IBUG68, WFLW98)}
"""The layouts that a card can name."""
