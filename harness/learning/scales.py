"""Scales: what the cells of a heatmap, or the bins of an axis, hold. Codecs read scores, so the others become scores.

- ``scores``: any real numbers. A keypoint is the mean position under their softmax.
- ``probabilities``: those of one keypoint sum to 1, as after a final softmax. A keypoint is their mean position.
- ``heights``: each lies between 0 and 1, as after a final sigmoid, or in a network that was trained to emit a Gaussian
  of height 1 about each keypoint. A keypoint is the mean position weighted by their fourth power: a background of a few
  hundredths, over thousands of cells, would else pull it to the middle.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

_LEAST = 1e-12
"""What stands in for a probability or a height of 0, which has no logarithm."""
_CLEARLY = 0.5
"""Heights must place points with at most this share of the error that scores leave."""


@dataclass(frozen=True)
class Scale:
    """What the numbers mean.

    Attributes:
        name: as above.
        power: of the numbers, by which positions are weighted; 0 for scores, which have none.
    """

    name: str
    power: int

    def scores(self, outputs: Tensor) -> Tensor:
        """The scores, of any shape, whose softmax weights positions as this scale says."""
        return self.power * outputs.float().clamp(min=_LEAST).log() if self.power else outputs


SCORES = Scale("scores", 0)
PROBABILITIES = Scale("probabilities", 1)
HEIGHTS = Scale("heights", 4)


def scale_by_bounds(looks: Sequence[Sequence[Tensor]]) -> Scale:
    """The scale of a network by what it emits with different weights: a sigmoid or softmax keeps to its bounds.

    Args:
        looks: for each set of weights the tensors that it emits, (B, K, bins) or (B, K, h, w).
    """
    values = [tensor.float().flatten(2) for look in looks for tensor in look]
    if any(not ((each >= 0) & (each <= 1)).all() or not each.any() for each in values):  # NaN is not within them
        return SCORES
    sums_to_one = all(((each.sum(dim=2) - 1).abs() < 0.01).all() for each in values)
    return PROBABILITIES if sums_to_one else HEIGHTS


def scale_by_error(outputs: Sequence[Tensor], error: Callable[[Scale], float]) -> Scale:
    """The scale of a trained network by how well it places points: scores, unless heights do so clearly better.

    Args:
        outputs: the tensors that it emits.
        error: the mean pixel error of reading them by a scale.
    """
    maps = [tensor.float().flatten(2) for tensor in outputs]
    lowest, highest = sum(each.amin(dim=2).mean() for each in maps), sum(each.amax(dim=2).mean() for each in maps)
    # Heights have peaks above a background near 0; scores reach as far below it.
    return HEIGHTS if lowest > -highest / 2 and error(HEIGHTS) < _CLEARLY * error(SCORES) else SCORES
