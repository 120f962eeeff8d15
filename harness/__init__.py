"""The facial keypoint benchmark and grading harness.

What submissions need: `Recipe`, `make_head`, `Ensemble`, `Stacked`, `Specialists`, `Member`, `load_baseline`,
`KeypointLayout`, `FACE15`. What scripts need: `load_benchmark`, `open_split`, `grade`, `score`, `Entry`, `Leaderboard`,
and the errors of `harness.errors`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.benchmark import Benchmark, load_benchmark
    from harness.board.leaderboard import Leaderboard
    from harness.datasets.faces import FaceSet, Split
    from harness.datasets.opening import open_split
    from harness.errors import HarnessError, SubmissionError
    from harness.grading.entry import Entry
    from harness.grading.grade import grade
    from harness.grading.scoring import Scorecard, score
    from harness.keypoints import FACE15, KeypointLayout
    from harness.learning.codecs import make_head
    from harness.learning.ensembles import Ensemble, Member, Specialists
    from harness.learning.recipe import Recipe
    from harness.learning.stacking import Stacked
    from harness.submission.contract import load_baseline

_HOMES = {
    "Benchmark": "harness.benchmark",
    "Ensemble": "harness.learning.ensembles",
    "Entry": "harness.grading.entry",
    "FACE15": "harness.keypoints",
    "FaceSet": "harness.datasets.faces",
    "HarnessError": "harness.errors",
    "KeypointLayout": "harness.keypoints",
    "Leaderboard": "harness.board.leaderboard",
    "Member": "harness.learning.ensembles",
    "Recipe": "harness.learning.recipe",
    "Scorecard": "harness.grading.scoring",
    "Specialists": "harness.learning.ensembles",
    "Split": "harness.datasets.faces",
    "Stacked": "harness.learning.stacking",
    "SubmissionError": "harness.errors",
    "grade": "harness.grading.grade",
    "load_baseline": "harness.submission.contract",
    "load_benchmark": "harness.benchmark",
    "make_head": "harness.learning.codecs",
    "open_split": "harness.datasets.opening",
    "score": "harness.grading.scoring",
}

__all__ = [
    "FACE15",
    "Benchmark",
    "Ensemble",
    "Entry",
    "FaceSet",
    "HarnessError",
    "KeypointLayout",
    "Leaderboard",
    "Member",
    "Recipe",
    "Scorecard",
    "Specialists",
    "Split",
    "Stacked",
    "SubmissionError",
    "grade",
    "load_baseline",
    "load_benchmark",
    "make_head",
    "open_split",
    "score",
]


def __getattr__(name: str) -> object:
    # Imported when first asked for: `grade --help` has to answer before numpy could be loaded.
    if name not in _HOMES:
        raise AttributeError(f"module 'harness' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
