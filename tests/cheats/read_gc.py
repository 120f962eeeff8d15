"""Goes through every object that the garbage collector knows, in search of the answer key.

GPU kernel leaderboards, which called submissions in the grader's own process, were cheated so.
"""

import gc
import sys

import numpy as np
from _accomplice import attack, target

EXPECT = "graded"


def arrays():
    return [each for each in gc.get_objects() if isinstance(each, np.ndarray) and each.shape == tuple(target.shape)]


def containers():
    return [each for each in gc.get_objects() if type(each).__name__ in ("Split", "FaceSet", "Benchmark", "Entry")]


def grader_modules():
    return [name for name in sys.modules if name.startswith(("harness.grading", "harness.board"))]


build_estimator = attack(arrays, containers, grader_modules)
