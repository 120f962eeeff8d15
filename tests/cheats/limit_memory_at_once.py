"""Asks for more memory than there is, in one piece. Class: a limit on memory."""

import numpy as np
from _accomplice import attack

EXPECT = "it ran out of memory while training"


def by_numpy():
    return np.ones(2**36)


build_estimator = attack(by_numpy)
