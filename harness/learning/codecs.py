"""Codecs: the forms in which a model may give keypoints, and how each becomes pixels and a loss.

- ``pixels``: (B, K, 2), the coordinates themselves; or (B, 2 K): x1, y1, x2, y2, ..., as in Kaggle's columns.
- ``heatmaps``: (B, K, h, w) scores over cells that cover the image evenly. A keypoint is the mean position under their
  softmax (soft-argmax), which needs no rounding to a cell. `harness.learning.scales` makes scores of probabilities.
- ``coordinate_bins``: a pair (B, K, bins_x), (B, K, bins_y) of scores over slices of each axis, read in the same way
  (SimCC; Li and others, arXiv 2107.03332).

Many shapes have the same mean. The regulariser asks for one: the cross-entropy between the softmax and a Gaussian about
the keypoint (DSNT; Nibali and others, arXiv 1801.07372, section 3.3, where other divergences do as well).
"""

from __future__ import annotations

import difflib
import math
from typing import Protocol

import torch
from torch import Tensor, nn

from harness.errors import ContractError

Outputs = Tensor | tuple[Tensor, Tensor]
"""What a model emits for B images."""


class Codec(Protocol):
    """One form of output. ``image_size`` is (height, width) in pixels."""

    wanted: str
    """What a model must return, for error messages, with B and K to be filled in."""
    reads_scores: bool
    """Whether it reads scores of places, for which a model may give probabilities."""

    def fits(self, outputs: object, batch: int, keypoints: int) -> bool:
        """Whether a model's outputs have this form."""

    def decode(self, outputs: Outputs, image_size: tuple[int, int]) -> Tensor:
        """Points float32 (B, K, 2) in pixels."""

    def shape_loss(self, outputs: Outputs, targets: Tensor, image_size: tuple[int, int], width: float) -> Tensor:
        """How far each output is from a Gaussian of this standard deviation in pixels about its target.

        Args:
            outputs: what the model emitted for B images.
            targets: (B, K, 2) in pixels, without NaN.
            image_size: (height, width) in pixels.
            width: in pixels.

        Returns:
            (B, K), in nats; 0 where the form has no shape.
        """

    def head(self, channels: int, cells: tuple[int, int], keypoints: int, image_size: tuple[int, int]) -> nn.Module:
        """Layers from features (B, channels, *cells) to this form."""


class Pixels:
    """Coordinates themselves."""

    wanted = "a tensor of ({batch}, {keypoints}, 2), x and y in pixels for each keypoint"
    reads_scores = False

    def fits(self, outputs: object, batch: int, keypoints: int) -> bool:
        """Whether it is (B, K, 2) or (B, 2 K)."""
        shapes = (batch, keypoints, 2), (batch, 2 * keypoints)
        return isinstance(outputs, Tensor) and tuple(outputs.shape) in shapes

    def decode(self, outputs: Outputs, image_size: tuple[int, int]) -> Tensor:
        """The outputs, as float32."""
        assert isinstance(outputs, Tensor)
        return outputs.float() if outputs.ndim == 3 else outputs.float().reshape(len(outputs), -1, 2)

    def shape_loss(self, outputs: Outputs, targets: Tensor, image_size: tuple[int, int], width: float) -> Tensor:
        """0: a point has no shape."""
        return targets.new_zeros(targets.shape[:2])

    def head(self, channels: int, cells: tuple[int, int], keypoints: int, image_size: tuple[int, int]) -> nn.Module:
        """A dense layer over all cells."""
        return nn.Sequential(
            nn.Flatten(), nn.Linear(channels * cells[0] * cells[1], keypoints * 2), _FromMiddle(image_size)
        )


class Heatmaps:
    """A map of scores for each keypoint."""

    wanted = "a tensor of ({batch}, {keypoints}, h, w), a map of scores for each keypoint"
    reads_scores = True

    def fits(self, outputs: object, batch: int, keypoints: int) -> bool:
        """Whether it is (B, K, h, w)."""
        return _is(outputs, 4) and tuple(outputs.shape[:2]) == (batch, keypoints)  # type: ignore[attr-defined]

    def decode(self, outputs: Outputs, image_size: tuple[int, int]) -> Tensor:
        """Mean position under the softmax of each map."""
        assert isinstance(outputs, Tensor)
        mass = outputs.float().flatten(2).softmax(dim=2).view(outputs.shape)
        ys, xs = (centres(cells, side).to(mass.device) for cells, side in zip(mass.shape[2:], image_size, strict=True))
        return torch.stack([mass.sum(dim=2) @ xs, mass.sum(dim=3) @ ys], dim=2)

    def shape_loss(self, outputs: Outputs, targets: Tensor, image_size: tuple[int, int], width: float) -> Tensor:
        """Cross-entropy between each map and a round Gaussian."""
        assert isinstance(outputs, Tensor)
        scores = outputs.float()
        along_y, along_x = (
            _gaussian(targets[..., axis], cells, side, width)
            for axis, cells, side in zip((1, 0), scores.shape[2:], image_size, strict=True)
        )
        # The Gaussian's mass is 1, so the logarithm of the softmax's sum can be taken out of the mean.
        expected = ((scores @ along_x.unsqueeze(3)).squeeze(3) * along_y).sum(dim=2)
        loss: Tensor = scores.flatten(2).logsumexp(dim=2) - expected
        return loss

    def head(self, channels: int, cells: tuple[int, int], keypoints: int, image_size: tuple[int, int]) -> nn.Module:
        """A 1 x 1 convolution, after transposed ones until a cell is at most four pixels wide."""
        layers: list[nn.Module] = []
        finest = max(side / count for side, count in zip(image_size, cells, strict=True))
        for _ in range(max(0, math.ceil(math.log2(finest / 4)))):
            fewer = max(keypoints, channels // 2)
            layers += [
                nn.ConvTranspose2d(channels, fewer, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(fewer),
                nn.ReLU(),
            ]
            channels = fewer
        return nn.Sequential(*layers, nn.Conv2d(channels, keypoints, 1))


class CoordinateBins:
    """Scores over slices of each axis."""

    wanted = "a pair of tensors ({batch}, {keypoints}, bins_x) and ({batch}, {keypoints}, bins_y)"
    reads_scores = True

    def fits(self, outputs: object, batch: int, keypoints: int) -> bool:
        """Whether it is a pair of (B, K, bins)."""
        return (
            isinstance(outputs, (tuple, list))
            and len(outputs) == 2
            and all(_is(each, 3) and tuple(each.shape[:2]) == (batch, keypoints) for each in outputs)
        )

    def decode(self, outputs: Outputs, image_size: tuple[int, int]) -> Tensor:
        """Mean position under the softmax over each axis."""
        return torch.stack(
            [
                scores.float().softmax(dim=2) @ centres(scores.shape[2], side).to(scores.device)
                for scores, side in zip(outputs, image_size[::-1], strict=True)
            ],
            dim=2,
        )

    def shape_loss(self, outputs: Outputs, targets: Tensor, image_size: tuple[int, int], width: float) -> Tensor:
        """Cross-entropy between the scores of each axis and a Gaussian, the sum of both."""
        losses = [
            -(_gaussian(targets[..., axis], scores.shape[2], side, width) * scores.float().log_softmax(dim=2)).sum(2)
            for axis, (scores, side) in enumerate(zip(outputs, image_size[::-1], strict=True))
        ]
        loss: Tensor = losses[0] + losses[1]
        return loss

    def head(self, channels: int, cells: tuple[int, int], keypoints: int, image_size: tuple[int, int]) -> nn.Module:
        """A 1 x 1 convolution, then a dense layer from a keypoint's cells to two bins a pixel for each axis."""
        return _Bins(channels, cells, keypoints, image_size)


CODECS: dict[str, Codec] = {"pixels": Pixels(), "heatmaps": Heatmaps(), "coordinate_bins": CoordinateBins()}
"""Every codec by the name that a submission gives."""


def codec_named(name: str) -> Codec:
    """The codec of this name.

    Raises:
        ContractError: there is no such codec.
    """
    if name not in CODECS:
        close = difflib.get_close_matches(str(name), CODECS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"a model emits one of {', '.join(CODECS)}"
        raise ContractError(f"there is no codec {name!r}; {hint}")
    return CODECS[name]


def make_head(
    codec: str, channels: int, cells: tuple[int, int], keypoints: int, image_size: tuple[int, int]
) -> nn.Module:
    """The last layers of a network, from features to what a codec reads, so that any network takes any form.

    Args:
        codec: a name in ``CODECS``.
        channels: of the features (B, channels, *cells).
        cells: (height, width) of the features.
        keypoints: how many.
        image_size: (height, width) in pixels.

    Raises:
        ContractError: there is no such codec.
    """
    return codec_named(codec).head(channels, cells, keypoints, image_size)


def centres(cells: int, side: int) -> Tensor:
    """Where the centre of each of ``cells`` cells lies on an axis of ``side`` pixels; the first pixel's centre is 0."""
    return (torch.arange(cells) + 0.5) * (side / cells) - 0.5


def _gaussian(targets: Tensor, cells: int, side: int, width: float) -> Tensor:
    """A Gaussian about each target (B, K), in pixels, over the cells of an axis: (B, K, cells), of sum 1.

    A softmax, so that a target outside the image puts all its mass on the edge, not no mass anywhere.
    """
    distances = targets.unsqueeze(2) - centres(cells, side).to(targets.device)
    return (-0.5 * (distances / width) ** 2).softmax(dim=2)


def _is(value: object, axes: int) -> bool:
    return isinstance(value, Tensor) and value.ndim == axes


class _FromMiddle(nn.Module):
    """Numbers near 0, as a new layer gives them, to pixels: 0 is the middle of the image, 1 its edge."""

    middle: Tensor

    def __init__(self, image_size: tuple[int, int]) -> None:
        super().__init__()
        height, width = image_size
        self.register_buffer("middle", torch.tensor([(width - 1) / 2, (height - 1) / 2]), persistent=False)

    def forward(self, numbers: Tensor) -> Tensor:
        return self.middle * (1 + numbers.view(len(numbers), -1, 2))


class _Bins(nn.Module):
    def __init__(self, channels: int, cells: tuple[int, int], keypoints: int, image_size: tuple[int, int]) -> None:
        super().__init__()
        height, width = image_size
        self.squeeze = nn.Sequential(nn.Conv2d(channels, keypoints, 1), nn.Flatten(2))
        self.along_x = nn.Linear(cells[0] * cells[1], 2 * width)
        self.along_y = nn.Linear(cells[0] * cells[1], 2 * height)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        maps = self.squeeze(features)
        return self.along_x(maps), self.along_y(maps)
