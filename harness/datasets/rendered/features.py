"""Features: who a face is, what it does, and where that puts eyes, brows, nose and mouth on a frontal view.

Frontal positions (x, y) are in eye distances, x to the right of the picture (the subject's left), y down from the eyes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from harness.datasets.rendered.raster import Points
from harness.datasets.rendered.stream import Stream
from harness.keypoints import FACE15

LIP_SOFTNESS = 0.03
"""How far below its edge, as people label it, the lower lip's colour fades."""

SIDES = np.array([1.0, -1.0])
"""The subject's left, then the right: the sign of x."""


@dataclass(frozen=True)
class Proportions:
    """Who it is: numbers that stay the same whatever the face does, in eye distances where they are lengths."""

    width: float
    depth: float
    jaw: float
    chin: float
    neck: float
    cheeks: float
    skew: float
    eye_half_width: float
    eye_tilt: float
    socket: float
    brow_height: float
    brow_tilt: float
    brow_arch: float
    brow_thickness: float
    bridge: float
    nose_length: float
    nose_width: float
    nose_height: float
    mouth_height: float
    mouth_half_width: float
    upper_lip: float
    lower_lip: float

    @classmethod
    def draw(cls, stream: Stream) -> Proportions:
        """A person, drawn at random."""
        bell = stream.bell
        return cls(
            width=bell(1.19, 0.05),
            depth=bell(1.34, 0.06),
            jaw=bell(1.0, 0.07),
            chin=bell(1.86, 0.1),
            neck=bell(0.9, 0.08),
            cheeks=bell(0.05, 0.03),
            skew=bell(0.0, 0.012),
            eye_half_width=bell(0.192, 0.012),
            eye_tilt=bell(0.0, 0.02),
            socket=bell(0.1, 0.03),
            brow_height=bell(-0.32, 0.035),
            brow_tilt=bell(0.0, 0.014),
            brow_arch=bell(0.055, 0.022),
            brow_thickness=bell(0.1, 0.025),
            bridge=bell(0.12, 0.035),
            nose_length=bell(0.575, 0.06),
            nose_width=bell(0.2, 0.03),
            nose_height=bell(0.36, 0.06),
            mouth_height=bell(1.04, 0.065),
            mouth_half_width=bell(0.39, 0.03),
            upper_lip=bell(0.1, 0.025),
            lower_lip=bell(0.14, 0.03),
        )


@dataclass(frozen=True)
class Expression:
    """What the face does: 0 is a neutral face; lids are 0 closed, 1 open; gaze is right and down, 1 at the rim."""

    lids: float
    gaze: tuple[float, float]
    brow_raise: float
    brow_skew: float
    frown: float
    smile: float
    pucker: float
    jaw_drop: float
    part: float

    @classmethod
    def draw(cls, stream: Stream) -> Expression:
        """A moment, drawn at random: half of the mouths speak, a few eyes are shut."""
        return cls(
            lids=stream.uniform(0.0, 0.25) if stream.chance(0.07) else max(0.25, stream.bell(0.85, 0.25)),
            gaze=(stream.bell(0.0, 0.3), stream.bell(0.0, 0.25)),
            brow_raise=stream.bell(0.0, 0.04),
            brow_skew=stream.bell(0.0, 0.015),
            frown=max(0.0, stream.bell(0.1, 0.5)),
            smile=stream.bell(0.1, 0.45),
            pucker=max(0.0, stream.bell(0.0, 0.35)),
            jaw_drop=max(0.0, stream.bell(0.06, 0.12)) if stream.chance(0.55) else 0.0,
            part=stream.uniform(0.0, 0.06) if stream.chance(0.5) else 0.0,
        )


@dataclass(frozen=True)
class Features:
    """The curves that are drawn and the keypoints on them: both come from the same numbers, so they agree."""

    proportions: Proportions
    expression: Expression

    @property
    def chin(self) -> float:
        """The height of the chin's lower edge: an open mouth takes it down."""
        return self.proportions.chin + 0.6 * self.expression.jaw_drop

    @cached_property
    def eyes(self) -> Points:
        """Centre, inner and outer corner (2, 3, 2) of both eyes."""
        p = self.proportions
        rise = 0.008 + p.eye_tilt * p.eye_half_width / 0.2
        across = [0.5, 0.5 - p.eye_half_width, 0.5 + p.eye_half_width]
        return down(mirrored(across, [0.0, rise, -rise]), p.skew * SIDES[:, None])

    @cached_property
    def lids(self) -> tuple[Points, Points]:
        """Upper and lower lid (2, 17, 2) of both eyes, each from the inner to the outer corner.

        As in real labels, the opening that is seen lies a little below the labelled corners and nearer to the nose.
        """
        inner, outer = np.moveaxis(self.eyes[:, 1:] + mirrored([-0.015, -0.015], [0.018, 0.045]), 1, 0)[:, :, None]
        along = np.linspace(0.0, 1.0, 17)
        arc = 4 * along * (1 - along)
        line = inner + (outer - inner) * along[:, None]
        gap = self.expression.lids * self.proportions.eye_half_width
        return down(line, -0.4 * gap * arc**0.8), down(line, (0.012 + 0.36 * gap) * arc)

    @cached_property
    def brows(self) -> tuple[Points, Points]:
        """Upper and lower edge (2, 13, 2) of both brows, each from the inner to the outer end.

        The hairs: as in real labels, the keypoints stand a little above them and beyond their outer end.
        """
        upper = down(self._brow_lines(np.linspace(0.03, 0.92, 13)), np.linspace(0.03, 0.125, 13))
        thick = np.interp(np.linspace(0.0, 1.0, 13), [0.0, 0.08, 0.55, 1.0], [0.55, 1.0, 0.9, 0.1])
        return upper, down(upper, self.proportions.brow_thickness * thick)

    def _brow_lines(self, along: Points) -> Points:
        """Places (2, N, 2) on both brows, 0 at the inner and 1 at the outer end."""
        p, e = self.proportions, self.expression
        height = p.brow_height - p.brow_tilt - e.brow_raise + 0.06 * e.frown * (1 - along) ** 2
        height += (0.08 + 2 * p.brow_tilt) * along - p.brow_arch * 4 * along * (1 - along)
        lines = mirrored(0.29 - 0.03 * e.frown + 0.595 * along, height)
        return down(lines, -e.brow_skew * SIDES[:, None])

    @cached_property
    def mouth(self) -> dict[str, Points]:
        """Curves (21, 2) from the right to the left corner: upper_edge, upper_inner, lower_inner and lower_edge."""
        p, e = self.proportions, self.expression
        half = p.mouth_half_width * (1 + 0.16 * e.smile - 0.22 * e.pucker)
        gap = e.jaw_drop + e.part
        t = np.linspace(-1.0, 1.0, 21)
        arc = 1 - t**2
        corner = p.mouth_height + 0.25 * gap - 0.07 * e.smile
        thin = 1 - 0.25 * e.smile + 0.2 * e.pucker
        bow = 0.12 * np.exp(-((t / 0.12) ** 2)) - 0.072 * np.exp(-((t / 0.3) ** 2))
        upper_inner = corner + (p.mouth_height - corner - 0.01) * arc
        lower_inner = corner + (p.mouth_height + gap - corner) * arc
        curves = {
            "upper_edge": upper_inner - p.upper_lip * thin * (arc**0.8 - bow),
            "upper_inner": upper_inner,
            "lower_inner": lower_inner,
            "lower_edge": lower_inner + p.lower_lip * thin * arc**0.8,
        }
        return {name: np.stack([half * t + p.skew, y], axis=1) for name, y in curves.items()}

    @cached_property
    def keypoints(self) -> Points:
        """The fifteen keypoints (15, 2) of FACE15."""
        mouth = self.mouth
        places = {
            "nose_tip": np.array([self.proportions.skew, self.proportions.nose_length]),
            "mouth_left_corner": mouth["upper_inner"][-1],
            "mouth_right_corner": mouth["upper_inner"][0],
            "mouth_center_top_lip": mouth["upper_edge"][10],
            "mouth_center_bottom_lip": mouth["lower_edge"][10],
        }
        for name, eye, brow in zip(("left", "right"), self.eyes, self._brow_lines(np.array([0.0, 1.0])), strict=True):
            places |= {f"{name}_eye_center": eye[0]}
            places |= {f"{name}_eye_inner_corner": eye[1], f"{name}_eye_outer_corner": eye[2]}
            places |= {f"{name}_eyebrow_inner_end": brow[0], f"{name}_eyebrow_outer_end": brow[1]}
        return np.stack([places[name] for name in FACE15.keypoints])


def mirrored(across: ArrayLike, height: ArrayLike) -> Points:
    """Both sides' points (2, N, 2): distances from the middle line and heights, left side first."""
    half = np.stack([np.asarray(across), np.asarray(height)], axis=-1)
    return np.stack([half, half * (-1.0, 1.0)])


def down(curve: Points, by: Points | float) -> Points:
    """Curves (..., N, 2) moved down by one length or by one a point."""
    moved = curve.copy()
    moved[..., 1] += by
    return moved
