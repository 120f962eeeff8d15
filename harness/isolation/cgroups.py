"""A control group of a worker's own, where this machine lets one be made: the kernel then counts what it uses.

It counts whatever is held for the worker's processes, in pages, files in memory and the kernel's own tables, however
it came about. Version 2 of the interface (one tree) and version 1 (a tree for memory, another for the number of
processes) are known; see https://docs.kernel.org/admin-guide/cgroup-v2.html.

It sets neither ``cpuset`` nor ``cpu.max``. The bootstrap keeps itself to the granted cores before anything of a
submission's runs, every thread inherits them, and ``seccomp`` refuses to change them: threads beyond the cores win no
processor time. A lease's cores change while it runs, which needs no rights this way, and a quota would only make the
worker stop and go.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from harness.isolation.limits import Limits

_PREFIX = "worker-"
_PATIENCE = 2.0  # seconds until the kernel has let go of killed processes
_NEEDED = ("memory", "pids")
_JOIN = 'while [ "$1" != -- ]; do echo $$ > "$1" || exit; shift; done; shift; exec "$@"'
_HOW = (
    "start it with: systemd-run --user --scope -p Delegate=yes grade ..., or as root where /sys/fs/cgroup is writable"
)


@dataclass(frozen=True)
class Cgroup:
    """A group of control.

    Attributes:
        folders: what it counts, ``memory`` or ``pids`` -> its folder; one and the same in version 2.
        version: of the interface.
    """

    folders: dict[str, Path]
    version: int

    @property
    def command(self) -> list[str]:
        """What to put before a command: it joins before anything of it runs."""
        doors = [str(folder / "cgroup.procs") for folder in dict.fromkeys(self.folders.values())]
        return ["/bin/sh", "-c", _JOIN, "join", *doors, "--"]

    @property
    def bounds_memory(self) -> bool:
        """Whether the kernel counts the memory of its processes."""
        return "memory" in self.folders

    def __str__(self) -> str:
        return f"cgroup v{self.version} ({' and '.join(self.folders)})"

    def ran_out_of_memory(self) -> bool:
        """Whether the kernel killed a process in it for its memory."""
        if not self.bounds_memory:
            return False
        events = self.folders["memory"] / ("memory.events" if self.version == 2 else "memory.oom_control")
        with contextlib.suppress(OSError):
            counts = dict(line.split() for line in events.read_text().splitlines())
            return int(counts.get("oom_kill", 0)) > 0
        return False

    def remove(self) -> None:
        """Remove it, once its processes have ended."""
        deadline = time.monotonic() + _PATIENCE
        for folder in dict.fromkeys(self.folders.values()):
            while _is_busy(folder) and time.monotonic() < deadline:
                time.sleep(0.005)


def make_cgroup(limits: Limits) -> Cgroup | None:
    """A new group that holds a worker to its memory and, twice, to its threads, so that the watchdog comes first.

    None where this machine has none to give.
    """
    for version, parents in ((2, _parents_v2()), (1, _parents_v1())):
        folders: dict[str, Path] = {}
        for what, parent in parents.items():
            with contextlib.suppress(OSError):
                _remove_left_behind(parent)
                folder = folders.get("memory") if version == 2 else None
                folders[what] = folder or Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=parent))
        cgroup = Cgroup(folders, version)
        try:
            for what, folder in folders.items():
                _bound(what, folder, version, limits)
        except OSError:
            cgroup.remove()
            continue
        if folders:
            return cgroup
    return None


def why_no_cgroup() -> str | None:
    """Why a worker has no group of its own here, or none that counts memory, and what to do; None if it has."""
    if sys.platform != "linux":
        return "only Linux has control groups"
    cgroup = make_cgroup(Limits())
    if cgroup is None:
        return f"this user may make no control group here; {_HOW}"
    cgroup.remove()
    return None if cgroup.bounds_memory else f"the kernel does not count memory in them here; {_HOW}"


def _bound(what: str, folder: Path, version: int, limits: Limits) -> None:
    if what == "pids":
        _write(folder / "pids.max", 2 * limits.threads + 1)  # and the supervisor
    elif version == 2:
        _write(folder / "memory.max", limits.memory)
        with contextlib.suppress(OSError):  # there is no such file where the kernel does not swap
            _write(folder / "memory.swap.max", 0)
    else:
        _write(folder / "memory.limit_in_bytes", limits.memory)
        with contextlib.suppress(OSError):
            _write(folder / "memory.memsw.limit_in_bytes", limits.memory)  # memory and swap together


def _parents_v2() -> dict[str, Path]:
    """Where to make a group that counts memory and processes, in version 2: the nearest that hands both on."""
    for mount, root, _ in _mounts("cgroup2"):
        own = _below(mount, root, _own_paths().get("", "/"))
        for folder in (own, *own.parents):
            if not folder.is_relative_to(mount):
                break
            if _hands_on(folder):
                return dict.fromkeys(_NEEDED, folder)
    return {}


def _hands_on(folder: Path) -> bool:
    """Whether groups made in this one count memory and processes, if need be because this process sees to it.

    Version 2 lets a group hand on only if no process is in it; where this process is the only one, it moves aside.
    """
    with contextlib.suppress(OSError):
        if not os.access(folder, os.W_OK) or not os.access(folder / "cgroup.procs", os.W_OK):
            return False
        if set(_NEEDED) <= set((folder / "cgroup.subtree_control").read_text().split()):
            return True
        if not set(_NEEDED) <= set((folder / "cgroup.controllers").read_text().split()):
            return False
        if (folder / "cgroup.procs").read_text().split() == [str(os.getpid())]:
            (folder / "grader").mkdir(exist_ok=True)
            _write(folder / "grader" / "cgroup.procs", os.getpid())
        (folder / "cgroup.subtree_control").write_text(" ".join(f"+{what}" for what in _NEEDED))
        return True
    return False


def _parents_v1() -> dict[str, Path]:
    """What is counted -> where to make a group that counts it, in version 1: below this process's own."""
    own, parents = _own_paths(), {}
    for mount, root, options in _mounts("cgroup"):
        for what in _NEEDED:
            if what in options.split(",") and what in own:
                parents[what] = _below(mount, root, own[what])
    return parents


def _own_paths() -> dict[str, str]:
    """The control, or nothing for version 2 -> the path of this process's group."""
    found: dict[str, str] = {}
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controls, path = line.split(":", 2)
            found |= dict.fromkeys(controls.split(","), path)
    return found


def _mounts(kind: str) -> list[tuple[Path, str, str]]:
    """(mount point, root, options of the file system) of each mount of this kind."""
    found = []
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/mountinfo").read_text().splitlines():
            place, _, about = line.partition(" - ")
            if about.split()[0] == kind:
                _, _, _, root, point, *_ = place.split()
                found.append((Path(point), root, about.split()[2]))
    return found


def _below(mount: Path, root: str, path: str) -> Path:
    """The folder of a group's path; a container's mount begins further down than the path does."""
    return mount / os.path.relpath(path, root) if Path(path).is_relative_to(root) else mount


def _write(file: Path, value: int) -> None:
    # Not to be made where it is missing: in a tree that only looks like one of control groups it would be.
    with file.open("r+") as control:
        control.write(str(value))


def _remove_left_behind(parent: Path) -> None:
    """Remove the groups of graders that were killed."""
    for folder in parent.glob(f"{_PREFIX}*-*"):
        if not Path("/proc", folder.name.split("-")[1]).exists():
            _is_busy(folder)


def _is_busy(folder: Path) -> bool:
    """Whether a group cannot be removed yet; a try to remove it."""
    with contextlib.suppress(FileNotFoundError):
        try:
            folder.rmdir()
        except OSError:
            return True
    return False
