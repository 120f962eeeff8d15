"""Jobs for the isolation's tests: a worker whose code is a few lines of Python, and what came of it."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.isolation import landlock, seccomp
from harness.isolation.launcher import launch
from harness.isolation.limits import MIB, Limits
from harness.isolation.outcome import Outcome
from harness.isolation.tiers import Tier

needs_landlock = pytest.mark.skipif(
    landlock.version() == 0 or not seccomp.is_known(), reason="this kernel has no Landlock, so nothing holds here"
)

PREAMBLE = """
import ctypes, errno, json, os, signal, socket, subprocess, sys, threading, time
from pathlib import Path

def say(**message):
    os.write(channel, json.dumps(message).encode() + b"\\n")

def system(number, *words):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(ctypes.c_long(number), *(ctypes.c_long(w) if isinstance(w, int) else w for w in words)) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

def daemon():
    "Start a process that has cut every tie to this one, and give its number."
    ours, theirs = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.write(theirs, str(os.getpid()).encode())
            time.sleep(600)
        os._exit(0)
    os.wait()
    return int(os.read(ours, 20))

def main(folder, number):
    global job, channel
    job, channel = folder, number
    return run()

def run():
"""


@dataclass
class Result:
    """How a worker ended and what it sent."""

    outcome: Outcome
    messages: list[dict[str, Any]] = field(default_factory=list)

    @property
    def told(self) -> dict[str, Any]:
        """The last message."""
        return self.messages[-1]


def run(folder: Path, code: str, *, tier: Tier = Tier.NONE, limits: Limits | None = None, **settings: Any) -> Result:
    """Run these lines as a worker in a job below ``folder``."""
    job = folder / "job"
    (job / "input").mkdir(parents=True)
    (job / "output").mkdir()
    (job / "input" / "probe.py").write_text(PREAMBLE + textwrap.indent(textwrap.dedent(code), "    "))
    messages: list[dict[str, Any]] = []
    limits = limits or Limits(seconds=20, memory=512 * MIB)
    outcome = launch(
        job,
        limits=limits,
        tier=tier,
        device=settings.pop("device", "cpu"),
        on_message=settings.pop("on_message", messages.append),
        entry="probe:main",
        **settings,
    )
    return Result(outcome, messages)


def refusal(folder: Path, attack: str, **settings: Any) -> str:
    """The name of the error that an attack meets in the default tier; ``none`` if it succeeds."""
    code = f"try:\n{textwrap.indent(textwrap.dedent(attack), '    ')}\nexcept OSError as error:\n"
    code += "    say(met=errno.errorcode[error.errno])\nelse:\n    say(met='none')\n"
    result = run(folder, code, tier=Tier.LANDLOCK, **settings)
    assert result.messages, result.outcome
    return str(result.told["met"])
