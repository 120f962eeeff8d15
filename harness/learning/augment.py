"""Augmentation in batches, on the device: images and keypoints are moved by the same matrices.

Pixel centres lie at whole numbers. A flip is x -> W - 1 - x and a swap of mirror pairs; rotation and scale act about
the middle ((W - 1) / 2, (H - 1) / 2). All of it is one 2x3 matrix for each image, applied once to the picture
(bilinear, its border repeated) and once to the points. A keypoint that is moved outside the image stays labelled: the
label is still true, and by placing a mouth corner that is cut off a network learns the shape of a face. Missing points
stay NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from harness.keypoints import KeypointLayout
from harness.learning.recipe import Recipe

Augment = Callable[[Tensor, Tensor, torch.Generator], tuple[Tensor, Tensor]]
"""Images uint8 (B, H, W), keypoints (B, K, 2) and a CPU generator -> float32 (B, 1, H, W) in [0, 1] and keypoints."""

BOX_SIDES = (0.2, 0.4)
"""Smallest and largest side of an occluding box, as a share of the image's."""

_DRAWS = (
    *("flip", "rotation", "scale", "shift_x", "shift_y"),
    *("brightness", "contrast", "gamma", "noise", "blur"),
    *("occlusion", "box_x", "box_y", "box_side", "box_grey"),
)


def turns_over(before: NDArray[np.float32], after: NDArray[np.float32]) -> bool:
    """Whether a move of points (P, 2) mirrors them: the sign of the determinant of the affine map nearest to it."""
    matrix = np.linalg.lstsq(np.column_stack([before, np.ones(len(before))]), after, rcond=None)[0]
    return bool(np.linalg.det(matrix[:2]) < 0)


def as_pictures(images: Tensor) -> Tensor:
    """Bytes (B, H, W) as what a model takes: float32 (B, 1, H, W) in [0, 1]."""
    return images.unsqueeze(1).float().div_(255)


class Augmenter:
    """What a recipe says about flips, affine moves, grey levels, noise, blur and occlusion.

    Every trick draws its random numbers whether it is on or not, so that switching one off does not change the others.
    On the CPU, OpenCV warps the bytes in a few threads (torch's grid_sample takes several times as long); other devices
    warp the whole batch at once. Both give the same picture up to rounding to 1/255.

    Args:
        recipe: the tricks and their strength.
        layout: names the mirror pairs.
        image_size: (height, width) in pixels.
        device: where images and keypoints lie.

    Attributes:
        warps_bytes: whether OpenCV warps the images, which it does on the CPU.
    """

    def __init__(
        self, recipe: Recipe, layout: KeypointLayout, image_size: tuple[int, int], device: torch.device
    ) -> None:
        self.recipe = recipe
        self.height, self.width = image_size
        self.device = device
        self.warps_bytes = device.type == "cpu"
        self.swap = torch.tensor(layout.swap, device=device)
        self.moves = any((recipe.flip, recipe.rotation, recipe.scale, recipe.shift))
        self.recolours = any((recipe.brightness, recipe.contrast, recipe.gamma))
        self._pool = ThreadPoolExecutor(1)
        self._threads = 1

    def __call__(self, images: Tensor, keypoints: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Augment one batch.

        Args:
            images: uint8 (B, H, W) on the device.
            keypoints: float32 (B, K, 2) in pixels on the device, NaN where missing.
            generator: a CPU generator, the source of every random number.

        Returns:
            Images float32 (B, 1, H, W) in [0, 1] and keypoints (B, K, 2).
        """
        assert images.shape[1:] == (self.height, self.width), images.shape
        draws = torch.rand(len(images), len(_DRAWS), generator=generator).to(self.device)
        draw = dict(zip(_DRAWS, draws.unbind(dim=1), strict=True))
        matrices = self._matrices(draw)
        pictures = self._pictures(images, matrices, draw)
        if self.recipe.blur:
            pictures = _blur(pictures, draw["blur"] * self.recipe.blur, math.ceil(3 * self.recipe.blur))
        if self.recipe.occlusion:
            pictures = self._cover(pictures, draw)
        if self.recipe.noise:
            pictures = self._add_noise(pictures, draw["noise"] * self.recipe.noise, generator)
        return pictures, self._moved(keypoints, matrices, draw["flip"] < self.recipe.flip)

    def _matrices(self, draw: dict[str, Tensor]) -> Tensor:
        """Where each pixel goes: (B, 2, 3), rotation x scale x flip about the middle, then the shift."""
        recipe = self.recipe
        angle = torch.deg2rad(_spread(draw["rotation"], recipe.rotation))
        size = 1 + _spread(draw["scale"], recipe.scale)
        mirror = torch.where(draw["flip"] < recipe.flip, -1.0, 1.0)
        cos, sin = size * angle.cos(), size * angle.sin()
        turn = torch.stack([cos * mirror, -sin, sin * mirror, cos], dim=1).view(-1, 2, 2)
        shift = torch.stack([_spread(draw["shift_x"], recipe.shift), _spread(draw["shift_y"], recipe.shift)], dim=1)
        middle = torch.tensor([(self.width - 1) / 2, (self.height - 1) / 2], device=self.device)
        return torch.cat([turn, (middle + shift - turn @ middle).unsqueeze(2)], dim=2)

    def _moved(self, keypoints: Tensor, matrices: Tensor, flipped: Tensor) -> Tensor:
        if not self.moves:
            return keypoints
        keypoints = torch.where(flipped.view(-1, 1, 1), keypoints[:, self.swap], keypoints)
        return keypoints @ matrices[:, :, :2].mT + matrices[:, None, :, 2]

    def _pictures(self, images: Tensor, matrices: Tensor, draw: dict[str, Tensor]) -> Tensor:
        """Images (B, 1, H, W) in [0, 1], moved and with their grey levels edited."""
        if not self.moves and not self.recolours:
            return as_pictures(images)
        if self.warps_bytes:
            levels = torch.linspace(0, 1, 256).expand(len(images), 256)
            return self._warp_bytes(images, matrices, self._toned(levels, draw))
        pictures = self._warp_batch(images, matrices) if self.moves else as_pictures(images)
        return self._toned(pictures.flatten(1), draw).view_as(pictures)

    def _toned(self, levels: Tensor, draw: dict[str, Tensor]) -> Tensor:
        """Grey levels (B, any) in [0, 1] after each image's own tone curve."""
        recipe = self.recipe
        if not self.recolours:
            return levels
        gamma = (1 + recipe.gamma) ** _spread(draw["gamma"], 1)
        contrast = 1 + _spread(draw["contrast"], recipe.contrast)
        brightness = _spread(draw["brightness"], recipe.brightness)
        curved = levels ** gamma.unsqueeze(1) if recipe.gamma else levels
        return ((curved - 0.5) * contrast.unsqueeze(1) + (0.5 + brightness).unsqueeze(1)).clamp_(0, 1)

    def _warp_bytes(self, images: Tensor, matrices: Tensor, tables: Tensor) -> Tensor:
        """Warp on the CPU; each image's table of 256 entries turns its bytes into edited floats."""
        pictures = torch.empty(len(images), 1, self.height, self.width)
        sources, moves, curves, targets = (each.numpy() for each in (images, matrices, tables, pictures))
        size = (self.width, self.height)

        def warp(rows: Iterable[int]) -> None:
            for row in rows:
                source = sources[row]
                if self.moves:
                    source = cv2.warpAffine(source, moves[row], size, borderMode=cv2.BORDER_REPLICATE)
                cv2.LUT(source, curves[row], dst=targets[row, 0])

        threads = torch.get_num_threads()
        if threads == 1:
            warp(range(len(images)))
        else:
            list(self._pool_of(threads).map(warp, [range(first, len(images), threads) for first in range(threads)]))
        return pictures

    def _pool_of(self, threads: int) -> ThreadPoolExecutor:
        if threads != self._threads:
            self._pool.shutdown()
            self._pool, self._threads = ThreadPoolExecutor(threads), threads
        return self._pool

    def _warp_batch(self, images: Tensor, matrices: Tensor) -> Tensor:
        """Warp on a GPU: grid_sample asks where each output pixel comes from, in coordinates from -1 to 1."""
        half = torch.tensor([(self.width - 1) / 2, (self.height - 1) / 2], device=self.device)
        turn, offset = matrices[:, :, :2], matrices[:, :, 2]
        back = torch.linalg.inv(turn)
        start = (back @ (half - offset).unsqueeze(2)).squeeze(2) - half
        theta = torch.cat([back * half, start.unsqueeze(2)], dim=2) / half.view(2, 1)
        grid = functional.affine_grid(theta, [len(images), 1, self.height, self.width], align_corners=True)
        # Clamping repeats the border as padding_mode="border" would, which MPS lacks in older versions.
        return functional.grid_sample(as_pictures(images), grid.clamp_(-1, 1), align_corners=True)

    def _cover(self, pictures: Tensor, draw: dict[str, Tensor]) -> Tensor:
        """Draw one box of one grey level in each chosen image."""
        smallest, largest = BOX_SIDES
        side = smallest + (largest - smallest) * draw["box_side"]
        within_x = _box(draw["box_x"], side, self.width)
        within_y = _box(draw["box_y"], side, self.height)
        chosen = draw["occlusion"] < self.recipe.occlusion
        covered = chosen.view(-1, 1, 1) & within_y.unsqueeze(2) & within_x.unsqueeze(1)
        return torch.where(covered.unsqueeze(1), draw["box_grey"].view(-1, 1, 1, 1), pictures)

    def _add_noise(self, pictures: Tensor, deviation: Tensor, generator: torch.Generator) -> Tensor:
        """Add Gaussian noise, drawn on the device from a seed that the CPU generator gives."""
        seed = int(torch.randint(2**62, (), generator=generator))
        on_device = torch.Generator(self.device).manual_seed(seed)
        noise = torch.randn(pictures.shape, generator=on_device, device=self.device)
        return (pictures + deviation.view(-1, 1, 1, 1) * noise).clamp_(0, 1)


def _spread(draw: Tensor, limit: float) -> Tensor:
    """A draw from [0, 1) spread over -limit to limit."""
    return (2 * draw - 1) * limit


def _box(centre: Tensor, side: Tensor, length: int) -> Tensor:
    """Which of ``length`` pixels lie in the box: bool (B, length)."""
    position = torch.arange(length, device=centre.device) / length
    return (position - centre.unsqueeze(1)).abs() < side.unsqueeze(1) / 2


def _blur(pictures: Tensor, deviation: Tensor, radius: int) -> Tensor:
    """Gaussian blur of (B, 1, H, W), each image with its own deviation (B,) in pixels."""
    offsets = torch.arange(-radius, radius + 1, device=pictures.device)
    weights = torch.exp(-0.5 * (offsets / deviation.clamp(min=0.01).unsqueeze(1)) ** 2)
    weights = (weights / weights.sum(dim=1, keepdim=True)).unsqueeze(1)
    batch = len(pictures)
    padded = functional.pad(pictures.transpose(0, 1), [radius] * 4, mode="replicate")
    along_x = functional.conv2d(padded, weights.unsqueeze(2), groups=batch)
    return functional.conv2d(along_x, weights.unsqueeze(3), groups=batch).transpose(0, 1).clamp_(0, 1)
