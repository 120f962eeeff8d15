"""One seed for every random number that a submission draws. Does not import torch by itself."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import os
import random
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

_unseeded = random.Random(0)  # noqa: S311  # no secret
"""Seeds every numpy generator that is made without a seed, such as ``np.random.default_rng()``."""


def seed_everything(seed: int) -> None:
    """Seed Python, numpy and torch, and pin CUDA's kernels; torch when it is imported, where it is not yet."""
    _seed_numbers(seed)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it cuBLAS may sum in another order
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _SeedsTorch)]
    if "torch" in sys.modules:
        _seed_torch(sys.modules["torch"], seed)
    else:
        sys.meta_path.insert(0, _SeedsTorch(seed))


@contextmanager
def same_random_numbers(device: torch.device) -> Iterator[None]:
    """Restore the random state afterwards, so that the numbers drawn within are drawn again.

    Args:
        device: whose generator is restored, too, where it is a CUDA device.
    """
    import torch

    states = random.getstate(), np.random.get_state(), _unseeded.getstate()
    try:
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        _unseeded.setstate(states[2])


@contextmanager
def numbers_of_its_own(seed: int) -> Iterator[None]:
    """Have Python, numpy and torch on the CPU draw from this seed, and go on as before afterwards."""
    import torch

    with same_random_numbers(torch.device("cpu")):
        _seed_numbers(seed)
        torch.default_generator.manual_seed(seed)
        yield


def _seed_numbers(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)  # the global generator, since submissions use it
    _unseeded.seed(seed)
    # Where numpy takes the seed of a generator that is given none.
    np.random.bit_generator.randbits = _unseeded.getrandbits  # type: ignore[attr-defined]


def _seed_torch(torch: ModuleType, seed: int) -> None:
    torch.manual_seed(seed)
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True


class _SeedsTorch(importlib.abc.MetaPathFinder):
    """Finds torch as usual, and seeds it once it is loaded."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != "torch":
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                spec.loader = _Seeded(spec.loader, self.seed)
                return spec
        return None


class _Seeded(importlib.abc.Loader):
    """A module's own loader, which seeds torch afterwards."""

    def __init__(self, loader: importlib.abc.Loader, seed: int) -> None:
        self.loader, self.seed = loader, seed

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = self.loader
        self.loader.exec_module(module)
        _seed_torch(module, self.seed)
