"""Chance: one stream of random numbers a face and purpose, the same on every machine."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np

from harness.datasets.rendered.raster import Field, resize


class Stream:
    """Random numbers that depend on the key alone.

    Everything is built from ``Generator.random``, the part of NumPy whose bits do not change between versions; the
    bell curves are sums of uniform numbers, because a logarithm may differ in its last bit between machines.
    """

    def __init__(self, *key: int | str) -> None:
        digest = hashlib.sha256("/".join(map(str, key)).encode()).digest()
        self._generator = np.random.Generator(np.random.PCG64(int.from_bytes(digest, "little")))

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """A number between low and high, each equally likely."""
        return low + (high - low) * float(self._generator.random())

    def bell(self, mean: float = 0.0, sd: float = 1.0) -> float:
        """A number around the mean, never further away than 3.5 standard deviations."""
        return mean + sd * (float(self._generator.random(4).sum()) - 2.0) * 1.7320508

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.uniform() < probability

    def noise(self, height: int, width: int) -> Field:
        """Independent grains (height, width) of mean 0 and standard deviation 1."""
        grains = self._generator.random((2, height, width), dtype=np.float32)
        return np.asarray((grains[0] + grains[1] - 1.0) * 2.4494898, np.float32)

    def clouds(self, shape: tuple[int, int], rows: int, columns: int) -> Field:
        """Smooth noise with about ``rows`` x ``columns`` hills, of mean 0 and a standard deviation below 1."""
        return resize(self.noise(rows, columns), shape, cv2.INTER_CUBIC)
