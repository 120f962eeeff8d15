"""What keeps CUDA from computing in a worker, and what to do about it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from harness.isolation import nvidia

_INIT = {
    2: "the card has no memory left; nvidia-smi shows who holds it",
    34: "the libcuda.so.1 that was found is the toolkit's stub; take its folder out of LD_LIBRARY_PATH",
    46: "another process has the card for itself; nvidia-smi -q -d COMPUTE shows in which mode it is",
    802: "the links between the cards are not up; start nvidia-fabricmanager",
    803: "libcuda.so.1 and the kernel's module are of different versions; reboot, or load the module that fits",
    804: "the libcuda.so.1 that was found is a compatibility library that this card does not take; take its folder, "
    "such as cuda/compat, out of LD_LIBRARY_PATH",
    999: "the driver does not say why; load its module for memory (as root: nvidia-modprobe -u -c=0), and see dmesg",
}
"""Codes of cuInit that have a remedy of their own."""


def cuda_fault(heard: Mapping[str, Any]) -> str:
    """A sentence with what went wrong and what to do.

    Args:
        heard: what a worker of ``trial_worker`` reported: ``step``, ``error``, and as far as it came ``driver`` (the
            CUDA version that the driver is for, 13000 for 13.0), ``init``, ``refused``, ``torch``, ``built_for``.
    """
    error = str(heard.get("error", ""))
    if "init" in heard:
        return f"cuInit returned {heard['init']}: {_at_start(heard)}"
    if "driver" not in heard:
        return _without_library(error)
    if "torch" not in heard:
        return f"torch does not load: {error}"
    driver, built_for = int(heard["driver"]), heard["built_for"]
    if built_for is None:
        return f"torch {heard['torch']} was built without CUDA; install a build with it, see pytorch.org"
    if driver // 1000 < int(str(built_for).split(".")[0]):
        return (
            f"the driver is for CUDA {_dotted(driver)} and torch {heard['torch']} for {built_for}; update the driver, "
            f"or install a build of torch for CUDA {driver // 1000}"
        )
    known = {
        "out of memory": _INIT[2],
        "nvml_success": _INIT[2],  # torch then asks NVML who holds it, which may fail in turn
        "no kernel image": f"torch {heard['torch']} has no code for this card; install a build that has",
        "invalid device ordinal": f"there is no such card; see nvidia-smi, and CUDA_VISIBLE_DEVICES, which {_chosen()}",
    }
    return next((what for words, what in known.items() if words in error.lower()), error)


def _at_start(heard: Mapping[str, Any]) -> str:
    code, refused = heard["init"], heard.get("refused", {})
    if code == 100:
        return f"the driver shows no card; see nvidia-smi, and CUDA_VISIBLE_DEVICES, which {_chosen()}"
    if code in _INIT:
        return _INIT[code]
    if not refused:
        return "nothing that CUDA is known to open was refused; compare with the tier none"
    what = ", ".join(f"{name} ({number})" for name, number in refused.items())
    closed = [node for node in nvidia.devices() if node in refused and not os.access(node, nvidia.access(node))]
    if closed:
        return f"refused: {what}; {', '.join(closed)} closed to you as well: join the group that owns them"
    return f"the isolation refused {what}; report this line. Until then, --isolation none for what you trust"


def _without_library(error: str) -> str:
    found = nvidia.library()
    if found is None:
        return (
            f"{nvidia.LIBRARY} is not found; install NVIDIA's driver, or start the container with the card "
            "(docker run --gpus all)"
        )
    if found.found_by == "habit":
        return f"{nvidia.LIBRARY} lies in {found.folder}, where nothing looks; export LD_LIBRARY_PATH={found.folder}"
    return f"{found.folder / nvidia.LIBRARY} does not load: {error}"


def _chosen() -> str:
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    return "is not set" if chosen is None else f"is {chosen!r}"


def _dotted(version: int) -> str:
    return f"{version // 1000}.{version % 1000 // 10}"
