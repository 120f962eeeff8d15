"""Measures what the machine loses at most while the cheats on memory run at a limit of 1 GiB, and prints a table.

    PYTHONPATH=tests python tests/bench/memory.py [NAME...]

By MemAvailable and by what the kernel counts as in use, whichever says more, sampled all the while: a virtual machine
that is given memory on demand hides the first. What other programs take or give back meanwhile counts as well, so let
the machine be quiet; each run waits until it is, and the table says by how much the figure wavered before it.
Each cheat runs with a cgroup where this machine has one, and without; those that only CUDA leaves a way, with CUDA's
system calls allowed besides.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest import mock

from support.cheating import Verdict, all_cheats, constants, grade_cheat

from harness.isolation.cgroups import why_no_cgroup
from harness.isolation.limits import GIB, MIB
from harness.isolation.losses import available_memory, used_memory

LIMIT = GIB
MOST = {"cgroup": 1.25 * GIB, "no cgroup": 1.5 * GIB}
SHARED = ("limit_memory_hidden", "limit_memory_unmapped")
_EVERY = 0.005  # seconds between two samples
_QUIET, _PATIENCE = 1.0, 20.0  # seconds that memory is to stand still before a run, and to wait for that
_STILL = 16 * MIB


class Most:
    """What the machine lost at most while this was entered."""

    def __enter__(self) -> Most:
        self.wavered = _settle()
        self.before, self.lost = _used(), 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._over.wait(_EVERY):
            self.lost = max(self.lost, *(now - before for now, before in zip(_used(), self.before, strict=True)))


def _used() -> tuple[int, int]:
    return used_memory(), -available_memory()


def _settle() -> int:
    """Wait until the machine is quiet; by how many bytes its memory wavered last."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        samples = [used_memory()]
        end = time.monotonic() + _QUIET
        while time.monotonic() < end:
            time.sleep(10 * _EVERY)
            samples.append(used_memory())
        wavered = max(samples) - min(samples)
        if wavered < _STILL or time.monotonic() > deadline:
            return wavered


@contextmanager
def condition(*, cgroup: bool, cuda: bool, limit: int) -> Iterator[None]:
    """Run cheats so; all of them at the same limit."""
    with ExitStack() as stack:
        stack.enter_context(mock.patch("support.cheating.constants", lambda cheat: _at(constants(cheat), limit)))
        if not cgroup:
            stack.enter_context(mock.patch("harness.isolation.launcher.make_cgroup", lambda _: None))
        if cuda:
            stack.enter_context(mock.patch("harness.isolation.launcher.uses_cuda", lambda _: True))
        yield


def _at(about: dict[str, object], limit: int) -> dict[str, object]:
    limits = about.get("LIMITS", {})
    assert isinstance(limits, dict)
    return about | {"LIMITS": limits | {"memory": limit}}


def measure(cheat: Path, *, cgroup: bool, cuda: bool) -> tuple[Most, Verdict]:
    """What the machine lost, and what came of the cheat."""
    with condition(cgroup=cgroup, cuda=cuda, limit=LIMIT), Most() as most_lost:
        verdict = grade_cheat(cheat)
    return most_lost, verdict


def main(names: list[str]) -> int:
    """The table; 1 if the machine lost more than it should or a cheat gained something."""
    cheats = [cheat for cheat in all_cheats() if (cheat.stem in names if names else "memory" in cheat.stem)]
    runs = [(cheat, False) for cheat in cheats] + [(cheat, True) for cheat in cheats if cheat.stem in SHARED]
    why_not = why_no_cgroup()
    if why_not is not None:
        print(f"no cgroup: {why_not}")
    failed = 0
    for kind, most in MOST.items():
        if kind == "cgroup" and why_not is not None:
            continue
        print(f"\n{kind}: at most {most / GIB:.2f} GiB at a limit of {LIMIT / GIB:.0f} GiB\n")
        worst = 0
        for cheat, cuda in runs:
            most_lost, verdict = measure(cheat, cgroup=kind == "cgroup", cuda=cuda)
            worst = max(worst, most_lost.lost)
            failed += most_lost.lost > most or bool(verdict.gains)
            what = f"{cheat.stem}{' with CUDA' if cuda else ''}"
            figures = f"{most_lost.lost / GIB:5.2f} GiB  (+-{most_lost.wavered / GIB:.2f})"
            print(f"{what:<36}{figures}  {verdict.reason[:50] or verdict.status}", *verdict.gains, flush=True)
        print(f"{'the worst':<36}{worst / GIB:5.2f} GiB")
    return int(failed > 0)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
