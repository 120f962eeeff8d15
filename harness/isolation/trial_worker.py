"""What the worker of a trial does: it computes a little on one device and reports, step by step, how far it came."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from harness.isolation import nvidia


def nothing(job: Path, channel: int) -> None:
    """End at once: what the bootstrap reported is all that is asked for."""


def main(job: Path, channel: int) -> int:
    """Train one step of a tiny network on the device that ``input/trial.json`` names; 0 when that worked."""

    def say(**found: Any) -> None:
        os.write(channel, json.dumps(found).encode() + b"\n")

    task = json.loads((job / "input" / "trial.json").read_text(encoding="utf-8"))
    try:
        if task["device"].startswith("cuda"):
            _start_cuda(task["nodes"], say)
        say(step="importing torch")
        import torch

        say(torch=torch.__version__, built_for=torch.version.cuda, step="computing")
        say(computed=_compute(task["device"]))
    except Exception as error:
        text = str(error).strip().splitlines() or [""]
        say(error=f"{type(error).__name__}: {text[0][:500]}")
        return 1
    return 0


def _start_cuda(nodes: list[str], say: Callable[..., None]) -> None:
    """Load the driver's library and start it, as torch does later but keeps the reasons to itself.

    Raises:
        RuntimeError: it does not start.
        OSError: there is no such library.
    """
    say(step=f"loading {nvidia.LIBRARY}")
    driver = ctypes.CDLL(nvidia.LIBRARY)
    version = ctypes.c_int()
    driver.cuDriverGetVersion(ctypes.byref(version))
    say(driver=version.value, step="cuInit")
    if code := driver.cuInit(0):
        say(init=code, refused=refused(nodes))
        raise RuntimeError(f"cuInit returned {code}")


def refused(nodes: list[str]) -> dict[str, str]:
    """What CUDA may have asked for and was refused: what it is -> the name of the error.

    Args:
        nodes: device nodes, or plain files in their place.
    """

    ways: dict[str, Callable[[], object]] = {node: partial(_open, node) for node in nodes}
    ways |= {folder: partial(os.listdir, folder) for folder in nvidia.proc_folders()}
    ways["the name of a thread"] = _name_thread
    ways["memfd_create"] = _make_memory
    met = {}
    for what, way in ways.items():
        try:
            way()
        except FileNotFoundError:
            continue
        except OSError as error:
            met[what] = errno.errorcode.get(error.errno or 0, str(error))
    return met


def _open(node: str) -> None:
    os.close(os.open(node, os.O_RDWR if nvidia.access(node) & os.W_OK else os.O_RDONLY))


def _name_thread() -> None:
    Path(f"/proc/self/task/{threading.get_native_id()}/comm").write_text("trial", encoding="utf-8")


def _make_memory() -> None:
    if sys.platform == "linux":
        os.close(os.memfd_create("trial"))


def _compute(device: str) -> str:
    """One training step with a convolution and a matrix product; the device's name.

    Raises:
        RuntimeError: the device is missing, has no memory left, or fails.
    """
    import torch
    from torch import nn

    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 14 * 14, 30)).to(device)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
    loss = network(torch.rand(4, 1, 16, 16, device=device)).square().mean()
    loss.backward()
    optimizer.step()
    if not loss.isfinite().item():
        raise RuntimeError(f"a training step gave {loss.item()}")
    if not device.startswith("cuda"):
        return device
    name = device
    with suppress(RuntimeError):
        name = torch.cuda.get_device_name(device)
    return name
