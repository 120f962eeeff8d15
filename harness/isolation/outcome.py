"""How a worker ended, and why, in words for its author."""

from __future__ import annotations

import signal
from dataclasses import dataclass

import psutil

from harness.isolation.limits import Limit, Limits
from harness.isolation.scratch import Scratch
from harness.units import format_bytes

OUT_OF_MEMORY = 86
"""Exit code of a bootstrap that caught a MemoryError."""

_FULL = 0.25
"""Of the machine's memory; the kernel hardly ends a process that had less, where others have more."""

_SIGNALS = {
    "SIGSEGV": "the interpreter crashed (segmentation fault)",
    "SIGBUS": "the interpreter crashed (bus error)",
    "SIGFPE": "the interpreter crashed (arithmetic error)",
    "SIGILL": "the interpreter crashed (illegal instruction)",
    "SIGABRT": "the interpreter crashed (a library called abort)",
    "SIGSYS": "it made a system call that no submission may make",
}


@dataclass(frozen=True)
class Outcome:
    """How a worker ended.

    Attributes:
        exit_code: None if a signal ended it.
        signal: the number of that signal, or None.
        stopped: the limit that ended it, or None.
        seconds: wall clock, measured outside the worker.
        peak_memory: bytes, of all its processes together.
        log_tail: the last of what it printed; none of it can be trusted.
        reason: for its author, why it did not end with exit code 0; None if it did.
        held: what confined it, as its bootstrap reported before any other code ran.
        scratch: where its results are, as long as this refers to it.
    """

    exit_code: int | None
    signal: int | None
    stopped: Limit | None
    seconds: float
    peak_memory: int
    log_tail: str
    reason: str | None
    held: str
    scratch: Scratch


def outcome(
    code: int,
    stopped: Limit | None,
    *,
    limits: Limits,
    seconds: float,
    peak_memory: int,
    log_tail: str,
    held: str,
    scratch: Scratch,
) -> Outcome:
    """The outcome of a process with this return code (as ``subprocess`` gives it), ended by us or by itself."""
    stopped = stopped or _stopped_by_kernel(code, log_tail)
    return Outcome(
        exit_code=code if code >= 0 else None,
        signal=-code if code < 0 else None,
        stopped=stopped,
        seconds=seconds,
        peak_memory=peak_memory,
        log_tail=log_tail,
        reason=limits.sentence(stopped) if stopped else _reason(code, peak_memory),
        held=held,
        scratch=scratch,
    )


def _stopped_by_kernel(code: int, log_tail: str) -> Limit | None:
    """The limit that the kernel enforced, before the watchdog did."""
    if _name(code) == "SIGXCPU":
        return "time"
    if code == OUT_OF_MEMORY or (_name(code) == "SIGABRT" and "std::bad_alloc" in log_tail):
        return "memory"
    return None


def _reason(code: int, peak_memory: int) -> str | None:
    if code == 0:
        return None
    if code > 0:
        return f"it ended with exit code {code}"
    if _name(code) == "SIGKILL":
        full = peak_memory > _FULL * psutil.virtual_memory().total
        return "it was ended by signal SIGKILL" + (
            f"; it had {format_bytes(peak_memory)}, so the machine may have run out of memory"
            if full
            else ", which it may have sent itself"
        )
    return _SIGNALS.get(_name(code), f"it was ended by signal {_name(code)}")


def _name(code: int) -> str:
    return signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
