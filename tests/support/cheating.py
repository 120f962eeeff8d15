"""Grades cheats among canaries, and says what each of them gained."""

from __future__ import annotations

import ast
import csv
import json
import re
import resource
import shutil
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from harness.benchmark import Benchmark, load_benchmark
from harness.datasets.faces import FaceSet, Split
from harness.errors import LoadError
from harness.grading.entry import Entry
from harness.grading.grade import grade
from harness.isolation.limits import KIB, MIB, Limits
from harness.isolation.tiers import Tier, choose
from harness.keypoints import FACE15
from harness.reporting.console import report
from harness.runs.conditions import Conditions
from harness.submission.source import find_source
from support.canaries import Canaries
from support.tiny import CARD, draw_faces

CHEATS = Path(__file__).parents[1] / "cheats"

LIMITS = Limits(seconds=30, memory=1536 * MIB, disk=32 * MIB, files=300, printed=256 * KIB, threads=100, cores=1)
"""What a cheat may use up, where its constant ``LIMITS`` says nothing else."""

_ACCOMPLICE = CHEATS / "_accomplice.py"
_MOST_GROWTH = 128 * MIB
_CONSTANTS = {"EXPECT", "LIMITS", "LINKS"}


@dataclass(frozen=True)
class Verdict:
    """What came of a cheat.

    Attributes:
        status: ``graded`` or ``failed``, as in an entry.
        reason: why it failed; empty when it did not.
        gains: a sentence for each thing that it gained.
        log: the last of what it printed.
    """

    status: str
    reason: str
    gains: list[str] = field(default_factory=list)
    log: str = ""


def all_cheats() -> list[Path]:
    """Every submission of tests/cheats, the honest ones apart."""
    return sorted(CHEATS.glob("[a-z]*.py"))


def constants(cheat: Path) -> dict[str, Any]:
    """What a cheat says of itself, read without running it.

    EXPECT: ``graded``, or words of the reason why it fails. LIMITS: fields of `Limits`. LINKS: name of a symbolic link
    in its folder -> the target that it leads to.
    """
    return {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.parse(cheat.read_text()).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in _CONSTANTS
    }


def grade_cheat(cheat: Path, tier: Tier | None = None, device: str = "cpu") -> Verdict:
    """Grade a cheat among fresh canaries, by default in the default tier."""
    split = _split()
    with Canaries.laid_out(split) as canaries:
        about = constants(cheat)
        limits = replace(LIMITS, **about.get("LIMITS", {}))
        folder = _hand_in(cheat, canaries, limits, about.get("LINKS", {}))
        conditions = Conditions(device, {}, limits, tier or choose("auto"), secrets=(canaries.guarded,), threads=1)
        (canaries.root / "card.toml").write_text(CARD)
        benchmark = load_benchmark(canaries.root / "card.toml")
        memory, started = _most_memory(), time.monotonic()

        try:
            # Cores of its own to share: waiting for another test's would look like a forged clock.
            with mock.patch("harness.runs.cores.FOLDER", canaries.root / "cores"):
                graded = grade(find_source(folder), benchmark, split, conditions)
        except LoadError as refusal:
            return Verdict("failed", str(refusal), canaries.changes())

        elapsed, entry = time.monotonic() - started, graded.entry
        gains = canaries.changes()
        if graded.predictions is not None and not np.allclose(graded.predictions, _mean_face(split), atol=1e-3):
            gains.append("its predictions are not the mean face's, by which it says that it got hold of something")
        if abs(entry.seconds.total - elapsed) > 0.5 or entry.seconds.training > entry.seconds.total:
            gains.append(f"it took {elapsed:.1f} s and its entry says {entry.seconds}")
        if _most_memory() - memory > _MOST_GROWTH:
            gains.append(f"the grader grew by {(_most_memory() - memory) / MIB:.0f} MiB")
        gains += _wrong_records(entry, canaries, benchmark)
        return Verdict(entry.status, entry.reason or "", gains, entry.log_tail)


def _split() -> Split:
    images, keypoints = draw_faces(24)
    faces = FaceSet(images, keypoints, np.arange(24), FACE15)
    return Split(faces.take(np.arange(16)), faces.take(np.arange(16, 24)), {"full": np.ones(8, bool)}, "data")


def _mean_face(split: Split) -> np.ndarray:
    return np.nanmean(split.training.keypoints, axis=0)


def _hand_in(cheat: Path, canaries: Canaries, limits: Limits, links: dict[str, str]) -> Path:
    """Lay the cheat into a folder of its own, with what an attacker may be taken to know."""
    folder = canaries.root / cheat.stem
    folder.mkdir()
    shutil.copyfile(cheat, folder / "submission.py")
    shutil.copyfile(_ACCOMPLICE, folder / _ACCOMPLICE.name)
    known = {**canaries.target, "memory": limits.memory, "disk": limits.disk}
    (folder / "target.json").write_text(json.dumps(known))
    for name, key in links.items():
        (folder / name).symlink_to(str(known[key]))
    return folder


def _wrong_records(entry: Entry, canaries: Canaries, benchmark: Benchmark) -> list[str]:
    """Put the entry on the board as the command would, and report it; a sentence for each thing wrong with either."""
    board = canaries.board
    board.record(entry)
    wrong = board.rebuild()
    rows = {row["id"]: row for row in csv.DictReader(board.csv.read_text().splitlines())}
    if set(rows) != {"rival", entry.id} or rows["rival"]["rank"] != "1":
        wrong.append(f"the board reads {rows}")
    if any(cell[:1] in "=+@" for row in rows.values() for cell in row.values() if cell):
        wrong.append("a cell of the board begins like a formula")
    text = report(entry, benchmark)
    if re.search(r"(?m)^\s*::|##\[|[\x00-\x08\x0b-\x1f\x7f-\x9f]", text):
        wrong.append(f"the report speaks to a terminal or a CI runner: {text!r}")
    return wrong


def _most_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB
