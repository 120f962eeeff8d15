"""The device to compute on, and what it can do."""

from __future__ import annotations

import ctypes
import re

import torch

from harness.errors import MachineError

_NAMES = re.compile(r"(?P<kind>auto|cpu|mps|cuda)((?<=cuda):(?P<index>[0-9]+))?")


def choose_device(name: str) -> torch.device:
    """The device of this name; ``auto`` is the first of CUDA, MPS and the CPU that the machine has.

    ``cuda:1`` is the second of several GPUs.

    Raises:
        MachineError: the name is unknown, or the machine has no such device.
    """
    match = _NAMES.fullmatch(name)
    if match is None:
        raise MachineError(f"unknown device {name!r}; choose one of auto, cpu, cuda, mps, or cuda:1 for a second GPU")
    kind, index = match["kind"], match["index"]
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(each for each, is_present in present.items() if is_present))
    if not present[kind]:
        reason = {
            "cuda": "torch sees no NVIDIA GPU; check nvidia-smi and that torch was installed with CUDA",
            "mps": "torch sees no Apple GPU; it needs macOS on Apple silicon",
        }[kind]
        raise MachineError(f"this machine has no device {name!r}: {reason}, or choose --device cpu")
    count = torch.cuda.device_count() if index else 0
    if index and int(index) >= count:
        plural = "s, the last is" if count > 1 else ","
        raise MachineError(f"this machine has no device {name!r}: torch sees {count} GPU{plural} cuda:{count - 1}")
    return torch.device(name)


def described(device: torch.device) -> str:
    """A device as entries show it: ``cuda (NVIDIA H100)``, ``cpu (2 threads)``.

    The number of threads is part of it because it decides in which order sums are taken: with another number, the same
    seed gives other weights.
    """
    if device.type == "cuda":
        return f"cuda ({torch.cuda.get_device_name(device)})"
    if device.type == "cpu":
        threads = torch.get_num_threads()
        return f"cpu ({threads} thread{'s' if threads > 1 else ''})"
    return device.type


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is worth using when a recipe leaves the precision to the harness.

    A processor with instructions for it trains convolutions about twice as fast; without them it is emulated.
    """
    if device.type == "cpu":
        # Older torch does not report them; training is in float32 then.
        known = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
        return bool(known.get("avx512_bf16") or known.get("amx_bf16"))
    return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


def keep_freed_memory() -> None:
    """Let glibc keep the memory that tensors free, so that the next step can use it again.

    By default it returns every large block to the kernel, which then clears each page anew: a third of the time of a
    small network's step. With another C library this does nothing.
    """
    trim_threshold, mmap_threshold = -1, -3  # malloc.h: M_TRIM_THRESHOLD, M_MMAP_THRESHOLD
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(mmap_threshold, 2**30)
        mallopt(trim_threshold, 2**31 - 1)
