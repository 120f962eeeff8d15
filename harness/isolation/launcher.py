"""Starts a worker in a fresh interpreter, watches it, and says how it ended."""

from __future__ import annotations

import ctypes
import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Sequence, Set
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from harness.errors import MachineError
from harness.isolation import bwrap, tracing
from harness.isolation.cgroups import make_cgroup
from harness.isolation.environment import environment
from harness.isolation.grants import grants_for, uses_cuda
from harness.isolation.limits import Limit, Limits
from harness.isolation.outcome import Outcome, outcome
from harness.isolation.owner import give_to_own_user
from harness.isolation.pipes import Message, Messages, Printed
from harness.isolation.scratch import Scratch
from harness.isolation.tiers import Tier
from harness.isolation.watchdog import Watchdog

_BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
_PR_SET_DUMPABLE = 4
_PIN_EVERY = 1.0  # seconds


class Cores(Protocol):
    """The cores that a worker may use, which may change while it runs."""

    @property
    def threads(self) -> int:
        """How many threads its libraries begin with."""

    def now(self) -> Set[int]:
        """The numbers of its cores as of now; none where it is free to run on all."""


def launch(
    job: Path,
    *,
    limits: Limits,
    tier: Tier,
    device: str,
    on_message: Callable[[Message], None],
    is_over: Callable[[], bool] = lambda: False,
    granted: Sequence[Path] = (),
    secrets: Sequence[Path] = (),
    cores: Cores | None = None,
    entry: str = "harness.submission.worker:main",
    landlock_abi: int | None = None,
) -> Outcome:
    """Run ``entry(job, channel)`` in a process of its own and wait for its end.

    The worker dies with the *thread* that called this, as the kernel counts parents; so it is this one that waits.

    Args:
        job: a folder with ``input/``, to be read, and ``output/``, to be written; ``tmp/``, ``plan.json`` and
            ``log.txt`` join them.
        limits: what ends the worker.
        tier: what keeps it in.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
        on_message: is given every JSON object that the worker sends, as a dict of which nothing is to be trusted.
        is_over: asked at every look; the worker is ended as soon as it is true.
        granted: more folders that it may read.
        secrets: files and folders that it must not reach.
        cores: asked about once a second; all threads of the worker are kept to the answer.
        entry: ``module:function`` to run inside; the module may lie in ``input/``.
        landlock_abi: an older Landlock than this kernel's, to see how it holds.

    Raises:
        MachineError: a secret is within reach, or the worker could not be started or locked in.
    """
    if os.name != "posix":
        raise MachineError("a worker needs Linux or macOS; on Windows run the harness inside WSL 2")
    _hide_memory()
    start = time.monotonic()
    job = job.resolve()
    (job / "tmp").mkdir(exist_ok=True)
    cuda, inside_bwrap = uses_cuda(device), tier is Tier.BWRAP
    hidden = () if tier is Tier.NONE else secrets  # without walls nothing is out of reach
    grants = grants_for(job, cuda=cuda, granted=granted, secrets=hidden)
    walls = tier is not Tier.NONE
    owner = None if inside_bwrap else give_to_own_user(job, [*grants.read, *grants.devices], walls=walls)
    scratch = Scratch(job, limits, own_user=owner is not None)
    cgroup = make_cgroup(limits)
    plan = {
        "job": str(job),
        "entry": entry,
        "cores": sorted(cores.now()) if cores is not None else [],
        "parent": None if inside_bwrap else os.getpid(),  # in there processes are numbered anew
        "rlimits": limits.rlimits(cuda=cuda, own_user=owner is not None),
        "cgroup": str(cgroup) if cgroup is not None else None,
        "user": owner.user if owner is not None else None,
        "closed": owner.closed if owner is not None else [],
        "scratch": scratch.plan,
        "isolated": walls,
        "landlock_abi": landlock_abi,
        "cuda": cuda,
        "trace": tracing.is_wanted() and walls,
        "grants": asdict(grants),
    }
    around = [*(cgroup.command if cgroup is not None else []), *(bwrap.command(grants, job) if inside_bwrap else [])]
    threads = cores.threads if cores is not None else limits.cores
    try:
        process, channel = _start(job, plan, around, environment(job, cores=threads, cuda=cuda))
    except BaseException:
        if cgroup is not None:
            cgroup.remove()
        raise
    scratch.started()
    printed, messages = Printed(job / "log.txt", limits.printed), Messages(tracing.overhearing(on_message))
    watchdog = Watchdog(process.pid, scratch, limits, cgroup)
    stopped: Limit | None = None
    try:
        stopped = _watch(process, channel, printed, messages, watchdog, cores, start + limits.seconds, is_over)
    finally:
        watchdog.kill()
        code = process.wait()
        stopped = stopped or watchdog.look_at_files()
        log_tail = printed.close()
        os.close(channel)
        assert process.stdout is not None
        process.stdout.close()
        if cgroup is not None:
            stopped = stopped or ("memory" if cgroup.ran_out_of_memory() else None)
            cgroup.remove()
    if messages.held is None and stopped is None and not is_over():
        raise MachineError(f"a worker's interpreter did not start; it said: {log_tail.strip() or 'nothing'}")
    return outcome(
        128 - code if inside_bwrap and code > 128 else code,  # bwrap passes a signal on as a shell does
        stopped,
        limits=limits,
        seconds=time.monotonic() - start,
        peak_memory=watchdog.peak_memory,
        log_tail=log_tail,
        held=messages.held or "nothing yet",
        scratch=scratch,
    )


def _start(
    job: Path, plan: dict[str, Any], around: list[str], variables: dict[str, str]
) -> tuple[subprocess.Popen[bytes], int]:
    """The process, and our end of the pipe that it sends messages on."""
    ours, theirs = os.pipe()
    try:
        (job / "plan.json").write_text(json.dumps(plan | {"channel": theirs}), encoding="utf-8")
        # -P keeps the script's folder off the path. Not -I: it would ignore the hash seed among the variables.
        process = subprocess.Popen(  # noqa: S603 - the command is this interpreter and a file of this package
            [*around, sys.executable, "-P", str(_BOOTSTRAP), str(job / "plan.json")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=variables,
            cwd=job / "tmp",
            pass_fds=(theirs, *([plan["scratch"]["door"]] if plan["scratch"] is not None else [])),
            start_new_session=True,
        )
    except BaseException:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
    return process, ours


def _watch(
    process: subprocess.Popen[bytes],
    channel: int,
    printed: Printed,
    messages: Messages,
    watchdog: Watchdog,
    cores: Cores | None,
    deadline: float,
    is_over: Callable[[], bool],
) -> Limit | None:
    """Pass on what comes out until the worker has ended, is to end, or has broken a limit, which is returned."""
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        for descriptor, feed in ((process.stdout.fileno(), printed.feed), (channel, messages.feed)):
            os.set_blocking(descriptor, False)
            selector.register(descriptor, selectors.EVENT_READ, feed)
        next_look, next_pin = time.monotonic(), time.monotonic() + _PIN_EVERY
        while True:
            ended = process.poll() is not None
            ready = selector.select(0 if ended else max(0.0, next_look - time.monotonic()))
            # What was printed comes first: it was so before the message was sent.
            for key, _ in sorted(ready, key=lambda each: each[0].fd == channel):
                if chunk := os.read(key.fd, 2**16):
                    key.data(chunk)
                else:
                    selector.unregister(key.fd)
            if printed.is_too_much:
                return "printed"
            if time.monotonic() > deadline:
                return "time"
            if (ended and not ready) or is_over():
                return None
            if not ended and time.monotonic() >= next_look:
                if broken := watchdog.look():
                    return broken
                next_look = time.monotonic() + watchdog.pause
                if cores is not None and time.monotonic() >= next_pin:
                    next_pin = time.monotonic() + _PIN_EVERY
                    watchdog.pin(cores.now())


def _hide_memory() -> None:
    """Close this process's memory and environment to processes of the same user: the answer key is in it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, ctypes.c_ulong(0), 0, 0, 0)
