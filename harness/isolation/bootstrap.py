"""The first thing to run in a worker's interpreter: locks the process in, then runs the worker.

Started as a script with a plan that ``launcher`` wrote. It needs the standard library only: numpy starts threads, and
what locks a thread in does not reach those that run already.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import importlib.util
import json
import os
import resource
import signal
import socket
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from harness.isolation.tracing import Trace

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 4, 36, 38
_PR_SET_THP_DISABLE = 41
_CAPABILITIES_V3 = 0x20080522


def main(plan: dict[str, Any]) -> NoReturn:
    """Lock this process in as planned, say so on the channel, and run the plan's entry."""
    _pin(plan["cores"])
    _die_with(plan["parent"])
    harness = _package()
    trace = _trace(plan) if plan["trace"] else None
    _supervise(trace, plan["channel"])
    supervisor = os.getppid()
    try:
        held = _lock_in(plan, supervisor, trace)
    except (OSError, ValueError) as error:
        _say(plan["channel"], {"refused": f"a worker could not be locked in on this machine: {error}"})
        os._exit(1)
    _say(plan["channel"], {"held": held})
    _run(plan, harness)


def _lock_in(plan: dict[str, Any], supervisor: int, trace: Trace | None) -> str:
    """Give up everything that the worker does not need; what holds now, in words."""
    for name, wanted in plan["rlimits"].items():
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(kind, (limit, limit))
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # a kernel without them
            _prctl(_PR_SET_THP_DISABLE, 1)  # a byte that is kept of one keeps all of it, and nobody counts that
    user = plan["user"]
    in_memory = sys.platform == "linux" and _own_tree(plan)
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    if sys.platform == "linux":
        _drop_capabilities()
        # A change of user takes back both: that the watchdog may look into this process, and that it dies in time.
        _prctl(_PR_SET_DUMPABLE, 1)
        _die_with(supervisor)
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    holding = ["limits", *([plan["cgroup"]] if plan["cgroup"] else []), *([f"user {user}"] if user is not None else [])]
    holding += ["tmpfs"] if in_memory else []
    if plan["isolated"]:
        holding += _wall_in(plan["grants"], plan["landlock_abi"], plan["cuda"], trace)
    return ", ".join(holding)


def _own_tree(plan: dict[str, Any]) -> bool:
    """A file tree of this worker's own, where one is planned; whether its folders lie in memory now.

    In folders that are closed to the worker's user, what is granted shows, and nothing else.
    """
    if not plan["closed"] and plan["scratch"] is None:
        return False
    from harness.isolation import mounts

    grants, scratch, user = plan["grants"], plan["scratch"], plan["user"]
    in_memory = False
    try:
        mounts.separate(own_user=user is not None)
    except OSError:
        if plan["closed"]:
            raise
    if plan["closed"]:
        mounts.uncover(plan["closed"], grants["read"], [*grants["write"], *grants["devices"]])
    if scratch is not None:
        with contextlib.suppress(OSError):  # bwrap has a say in it, whom the grader could not ask
            _hand_over(mounts.lay_in_memory(grants["write"], scratch["options"], user), scratch["door"])
            in_memory = True
        os.close(scratch["door"])
    os.chdir(Path(plan["job"], "tmp"))  # the folder of this name that shows now
    return in_memory


def _hand_over(descriptor: int, door: int) -> None:
    """Send the grader a descriptor, and close it here."""
    with socket.socket(fileno=os.dup(door)) as connection:
        socket.send_fds(connection, [b"."], [descriptor])
    os.close(descriptor)


def _wall_in(grants: dict[str, list[str]], abi: int | None, cuda: bool, trace: Trace | None) -> list[str]:
    from harness.isolation import landlock, seccomp

    newest = landlock.version()
    abi = min(abi or newest, newest)
    if abi == 0:
        raise OSError("this kernel has no Landlock (Linux 5.13 and later have, if it is switched on)")
    rights = {"read": landlock.READ, "write": landlock.WRITE, "devices": landlock.DEVICE}
    landlock.restrict([(path, rights[kind]) for kind in rights for path in grants[kind]], abi)
    if trace is None:
        seccomp.restrict(cuda=cuda)
    else:
        trace.restrict(cuda=cuda)
    os.utime = _look  # type: ignore[assignment]  # the kernel now says that it set the times of any file, even of none
    return [f"Landlock ABI {abi}", "seccomp" if trace is None else "seccomp (traced)"]


def _trace(plan: dict[str, Any]) -> Trace:
    from harness.isolation.tracing import Trace

    return Trace(Path(plan["job"], "input"))


def _look(path: str | int, *_: object, **__: object) -> None:
    """Stands in for ``os.utime``: fails for a file that is not there, as ``Path.touch`` relies on, and sets nothing."""
    os.stat(path)  # noqa: PTH116 - it may be a descriptor


def _run(plan: dict[str, Any], harness: ModuleType) -> NoReturn:
    """Import and run the entry. Ends without Python's own clean-up, where a library's thread may hang or crash."""
    from harness.isolation.outcome import OUT_OF_MEMORY

    code = 0
    try:
        assert harness.__spec__ is not None and harness.__spec__.loader is not None
        harness.__spec__.loader.exec_module(harness)
        sys.path.append(str(Path(plan["job"], "input")))  # last, so that it hides no library
        module, function = plan["entry"].split(":")
        code = getattr(importlib.import_module(module), function)(Path(plan["job"]), plan["channel"]) or 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except MemoryError:
        traceback.print_exc()
        code = OUT_OF_MEMORY
    except BaseException:
        traceback.print_exc()
        code = 1
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(code & 255)


def _package() -> ModuleType:
    """``harness``, found beside this file and not yet run: it may import more than may be imported before the walls.

    Found here and not by name, since what lies beside it (a checkout) is out of the worker's reach.
    """
    folder = Path(__file__).resolve().parent.parent
    spec = importlib.util.spec_from_file_location(
        "harness", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    sys.modules["harness"] = importlib.util.module_from_spec(spec)
    return sys.modules["harness"]


def _supervise(trace: Trace | None, channel: int) -> None:
    """Continue in a child. The parent stays as its supervisor: adopts orphans, kills them at the end, and ends alike.

    Without it, a process that detached itself would become the grader's, who could not tell whose it was.
    """
    if sys.platform == "linux":
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    supervisor, worker = os.getpid(), os.fork()
    if worker == 0:
        _die_with(supervisor)
        return
    if trace is not None:
        trace.listen(worker, channel)
    status = None
    with contextlib.suppress(ChildProcessError):
        while True:
            child, how = os.wait()
            status = how if child == worker else status
            if status is not None:
                for orphan in _children():
                    os.kill(orphan, signal.SIGKILL)
    assert status is not None
    if trace is not None:
        trace.close()
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        os._exit(code)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):  # SIGKILL cannot be set
        signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
    os._exit(1)


def _children() -> list[int]:
    """Processes whose parent this is, by Linux's /proc; elsewhere orphans are not adopted."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(entry.read_text().rpartition(")")[2].split()[1]) == os.getpid():
                found.append(int(entry.parent.name))
    return found


def _pin(cores: list[int]) -> None:
    """Keep to these cores, if any are named, as every thread and process will that this one starts."""
    if cores and sys.platform == "linux":
        with contextlib.suppress(OSError):  # they were taken from this machine meanwhile
            os.sched_setaffinity(0, cores)


def _die_with(parent: int | None) -> None:
    """Have the kernel kill this process with its parent, and end now if that is gone already."""
    if sys.platform == "linux":
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if parent is not None and os.getppid() != parent:
        os._exit(1)


def _drop_capabilities() -> None:
    """Those that root has, and those that a container may have handed down."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_V3, 0)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.capset(header, (ctypes.c_uint32 * 6)()):
        raise OSError(ctypes.get_errno(), "capset failed")


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0):
        raise OSError(ctypes.get_errno(), f"prctl({option}) failed")


def _say(channel: int, message: dict[str, Any]) -> None:
    os.write(channel, json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
