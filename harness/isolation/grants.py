"""What a worker may open, and the proof that no secret is among it."""

from __future__ import annotations

import os
import site
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import MachineError
from harness.isolation import nvidia
from harness.places import shipped

_PACKAGE = Path(__file__).resolve().parent.parent

_PREFIXES = ("/usr", "/usr/local", sys.base_prefix, sys.prefix)
_IN_PREFIX = ("bin", "lib", "lib64", "share", "pyvenv.cfg")
_SYSTEM = ("/lib", "/lib64", "/nix/store", "/etc/ld.so.cache", "/etc/localtime")
_MACHINE = (
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/self",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
    "/sys/fs/cgroup/cpu.max",  # joblib counts cores by it, and does not get over a refusal
    "/sys/fs/cgroup/cpu/cpu.cfs_quota_us",
    "/sys/fs/cgroup/cpu/cpu.cfs_period_us",
    "/dev/zero",  # to be read only: mapped to be written, it is shared memory
)
_DEVICES = ("/dev/null", "/dev/urandom", "/dev/random")
_THREADS = "/proc/self/task"  # a thread's name is written to task/*/comm, which CUDA does


@dataclass(frozen=True)
class Grants:
    """Readable paths, each with everything below it.

    Attributes:
        read: what may be read.
        write: folders to make, change and remove plain files in.
        devices: device nodes, to be read, written and controlled.
    """

    read: tuple[str, ...]
    write: tuple[str, ...]
    devices: tuple[str, ...]


def grants_for(job: Path, *, cuda: bool, granted: Iterable[Path] = (), secrets: Iterable[Path] = ()) -> Grants:
    """What the worker of this job may open.

    Raises:
        MachineError: a secret lies below something that workers read.
    """
    write = [str(job / "output"), str(job / "tmp")]
    read = [*_libraries(), str(_PACKAGE), str(shipped("baselines")), *_MACHINE, str(job / "input"), *map(str, granted)]
    devices = [*_DEVICES]
    if cuda:
        read += nvidia.reads()
        # The bootstrap makes the rules within the worker, after its last fork, so that "self" is the worker there.
        devices += [*nvidia.devices(), _THREADS]
    grants = Grants(_readable(read), tuple(write), _readable(devices))
    _assert_out_of_reach(secrets, [*grants.read, *grants.write])
    return grants


def uses_cuda(device: str) -> bool:
    """Whether a worker for this device will ask for CUDA, where the machine has it."""
    return (device == "auto" or device.startswith("cuda")) and bool(nvidia.devices())


def _libraries() -> list[str]:
    """The system's, those of this Python environment and of what it was made from, and the user's own packages."""
    folders = [f"{prefix}/{name}" for prefix in dict.fromkeys(_PREFIXES) for name in _IN_PREFIX]
    return [*_SYSTEM, *folders, *([site.getusersitepackages()] if site.ENABLE_USER_SITE else [])]


def _readable(paths: Sequence[str]) -> tuple[str, ...]:
    return tuple(path for path in dict.fromkeys(paths) if os.access(path, os.R_OK))


def _assert_out_of_reach(secrets: Iterable[Path], granted: Sequence[str]) -> None:
    for secret in secrets:
        for root in granted:
            if secret.resolve().is_relative_to(Path(root).resolve()):
                raise MachineError(
                    f"{secret} must stay out of a submission's reach but lies in {root}, which submissions read; move "
                    "one of them, for example by a virtual environment of its own for the harness"
                )
