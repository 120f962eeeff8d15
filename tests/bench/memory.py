"""Measures what the machine loses at most while the cheats on memory run at a limit of 1 GiB, and prints a table.

    PYTHONPATH=tests python tests/bench/memory.py [NAME...]

By MemAvailable, sampled all the while: what other programs take meanwhile counts as well, so let the machine be quiet.
Each cheat runs with a cgroup where this machine has one, and without; those that only CUDA leaves a way, with CUDA's
system calls allowed besides.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest import mock

from support.cheating import Verdict, all_cheats, constants, grade_cheat

from harness.isolation.cgroups import why_no_cgroup
from harness.isolation.limits import GIB
from harness.isolation.losses import available_memory

LIMIT = GIB
MOST = {"cgroup": 1.25 * GIB, "no cgroup": 1.5 * GIB}
SHARED = ("limit_memory_hidden", "limit_memory_unmapped")
_EVERY = 0.005  # seconds between two samples


class Lowest:
    """The least memory that was available while this was entered."""

    def __enter__(self) -> Lowest:
        self.before = self.least = available_memory()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._over.wait(_EVERY):
            self.least = min(self.least, available_memory())

    @property
    def lost(self) -> int:
        """Bytes that went at most."""
        return self.before - self.least


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


def measure(cheat: Path, *, cgroup: bool, cuda: bool) -> tuple[int, Verdict]:
    """Bytes that the machine lost at most, and what came of the cheat."""
    with condition(cgroup=cgroup, cuda=cuda, limit=LIMIT), Lowest() as lowest:
        verdict = grade_cheat(cheat)
    return lowest.lost, verdict


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
            lost, verdict = measure(cheat, cgroup=kind == "cgroup", cuda=cuda)
            worst = max(worst, lost)
            failed += lost > most or bool(verdict.gains)
            what = f"{cheat.stem}{' with CUDA' if cuda else ''}"
            print(
                f"{what:<40}{lost / GIB:5.2f} GiB  {verdict.reason[:50] or verdict.status}", *verdict.gains, flush=True
            )
        print(f"{'the worst':<40}{worst / GIB:5.2f} GiB")
    return int(failed > 0)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
