"""Leaves NaN, a wildcard for scorers that drop such rows: at one known harness the score fell from 2.9 to 0.6."""

import numpy as np
from _accomplice import deliver, target

EXPECT = "NaN or infinite"


def write(path):
    np.save(path, np.full(target.asked_shape, np.nan, np.float32))


build_estimator = deliver(write)
