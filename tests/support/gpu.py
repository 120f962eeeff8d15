"""For tests that need an NVIDIA GPU; elsewhere they are skipped before torch is asked, which costs nothing."""

from __future__ import annotations

import pytest

from harness.isolation import nvidia

HOST_MEMORY = ("--memory-limit", "8g")
"""CUDA's libraries alone take one or two GiB of main memory, more than the tiny benchmark allows."""


def _why_not() -> str | None:
    if not nvidia.devices():
        return "this machine has no NVIDIA GPU"
    import torch

    return None if torch.cuda.is_available() else "torch cannot use this machine's NVIDIA GPU; see harness doctor"


WHY_NOT = _why_not()
needs_gpu = pytest.mark.skipif(WHY_NOT is not None, reason=f"{WHY_NOT}")
