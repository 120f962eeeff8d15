"""The facial keypoint benchmark and grading harness.

What submissions need: `Recipe`, `KeypointLayout`, `FACE15`. What scripts need: `load_benchmark`, `open_split`, `grade`,
`score`, `Entry`, `Leaderboard`, and the errors of `harness.errors`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.benchmark import Benchmark, load_benchmark
    from harness.datasets.faces import FaceSet, Split
    from harness.datasets.opening import open_split
    from harness.entry import Entry
    from harness.errors import HarnessError, SubmissionError
    from harness.grading import grade
    from harness.keypoints import FACE15, KeypointLayout
    from harness.leaderboard import Leaderboard
    from harness.learning.recipe import Recipe
    from harness.scoring import Scorecard, score

_HOMES = {
    "Benchmark": "harness.benchmark",
    "Entry": "harness.entry",
    "FACE15": "harness.keypoints",
    "FaceSet": "harness.datasets.faces",
    "HarnessError": "harness.errors",
    "KeypointLayout": "harness.keypoints",
    "Leaderboard": "harness.leaderboard",
    "Recipe": "harness.learning.recipe",
    "Scorecard": "harness.scoring",
    "Split": "harness.datasets.faces",
    "SubmissionError": "harness.errors",
    "grade": "harness.grading",
    "load_benchmark": "harness.benchmark",
    "open_split": "harness.datasets.opening",
    "score": "harness.scoring",
}

__all__ = [
    "FACE15",
    "Benchmark",
    "Entry",
    "FaceSet",
    "HarnessError",
    "KeypointLayout",
    "Leaderboard",
    "Recipe",
    "Scorecard",
    "Split",
    "SubmissionError",
    "grade",
    "load_benchmark",
    "open_split",
    "score",
]


def __getattr__(name: str) -> object:
    # Imported when first asked for: `grade --help` has to answer before numpy could be loaded.
    if name not in _HOMES:
        raise AttributeError(f"module 'harness' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
