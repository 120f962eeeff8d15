"""Walks up the frames of whoever called it, in search of the answer key or the scorer.

GPU kernel leaderboards, which called submissions in the grader's own process, were cheated so.
"""

import sys

import numpy as np
from _accomplice import attack, target

EXPECT = "graded"


def answers():
    frame, found = sys._getframe(), []
    while frame := frame.f_back:
        for value in [*frame.f_locals.values(), *frame.f_globals.values()]:
            if isinstance(value, np.ndarray) and value.shape == tuple(target.shape) and np.isfinite(value).all():
                found.append(value)
    return found


def names():
    frame, found = sys._getframe(), []
    while frame := frame.f_back:
        found += [name for name in frame.f_locals if name in ("held_out", "split", "answers", "truth", "targets")]
    return found


build_estimator = attack(answers, names)
