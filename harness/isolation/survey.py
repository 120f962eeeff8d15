"""What this machine has to keep a submission in, for ``harness doctor``."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from harness.errors import MachineError
from harness.isolation import bwrap, landlock, nvidia, seccomp
from harness.isolation.cgroups import why_no_cgroup
from harness.isolation.grants import grants_for
from harness.isolation.limits import Limits
from harness.isolation.owner import why_no_own_user
from harness.isolation.scratch import why_no_tmpfs
from harness.isolation.trial import what_holds

_USER_NAMESPACES = Path("/proc/sys/user/max_user_namespaces")


class Finding(NamedTuple):
    """One property of the machine: what it is, whether it is as one would wish, and more in words."""

    name: str
    holds: bool
    remark: str


def survey() -> list[Finding]:
    """Everything that decides how far a submission can be kept in here."""
    abi, no_bwrap = landlock.version(), bwrap.why_not()
    reads = grants_for(Path("JOB"), cuda=False).read
    held = _held()
    known, devices = seccomp.is_known(), nvidia.devices()
    return [
        Finding("kernel", platform.system() == "Linux", f"{platform.system()} {platform.release()}"),
        Finding("Landlock", abi > 0, f"ABI {abi}" if abi else "missing: Linux 5.13 and later have it, if switched on"),
        Finding("seccomp", known, f"{'' if known else 'no '}table of system calls for {platform.machine()}"),
        Finding("user namespaces", _user_namespaces() > 0, f"at most {_user_namespaces():,}; for bwrap only"),
        Finding("bwrap", no_bwrap is None, no_bwrap or "works"),
        _own_user(held, reads),
        _memory(held),
        _files(held),
        *_nvidia(devices),
        Finding("submissions read", True, ", ".join(reads)),
    ]


def _held() -> list[str]:
    """What a worker that was started to see reports of what keeps it in; nothing where none starts."""
    try:
        return what_holds().split(", ")
    except MachineError:
        return []


def _own_user(held: list[str], reads: Sequence[str]) -> Finding:
    user = next((what for what in held if what.startswith("user ")), None)
    why_not = why_no_own_user(reads) or "a worker that was started got none"
    return Finding(
        "a user for each worker", user is not None, f"a worker that was started got {user}" if user else why_not
    )


def _memory(held: list[str]) -> Finding:
    """How tightly a worker is held to its memory."""
    cgroup = next((what for what in held if what.startswith("cgroup") and "memory" in what), None)
    if cgroup:
        return Finding("a cgroup for each worker", True, f"{cgroup}: the kernel lets nothing past the memory limit")
    looks = "memory is looked at every 50 ms and may pass its limit by a few hundred MiB in between"
    return Finding("a cgroup for each worker", False, f"{looks}; {why_no_cgroup() or 'a worker got none'}")


def _files(held: list[str]) -> Finding:
    """How tightly a worker is held to what it may write."""
    if "tmpfs" in held:
        remark = "a worker that was started got a tmpfs: the kernel lets it write an eighth more than its limit at most"
        return Finding("files in memory", True, f"{remark}, and nothing of it is left")
    why_not = why_no_tmpfs(Limits(), own_user=any(what.startswith("user ") for what in held)) or "a worker got none"
    looks = "files lie on the disk and are looked at every 0.5 s, or sooner where it fills"
    return Finding("files in memory", False, f"{looks}; {why_not}")


def _nvidia(devices: list[str]) -> list[Finding]:
    if not devices:
        return [Finding("NVIDIA devices", False, "none; where there is a GPU, run nvidia-smi once to make them")]
    closed = [node for node in devices if not os.access(node, nvidia.access(node))]
    missing = nvidia.missing(devices)
    remark = ", ".join(devices)
    if closed:
        remark = f"closed to you: {', '.join(closed)}; join the group that owns them"
    elif missing:
        remark = f"{missing} is missing; as root run: nvidia-modprobe -u -c=0"
    library = nvidia.library()
    where = "not found; install the driver, or start the container with the GPU (docker run --gpus all)"
    return [
        Finding("NVIDIA devices", not closed and not missing, remark),
        Finding(nvidia.LIBRARY, library is not None, f"{library.folder}, by {library.found_by}" if library else where),
    ]


def _user_namespaces() -> int:
    return int(_USER_NAMESPACES.read_text()) if _USER_NAMESPACES.exists() else 0
