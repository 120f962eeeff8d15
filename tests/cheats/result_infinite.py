"""Leaves infinite values, whose differences and means turn into NaN. Class: arithmetic that compares as false."""

import numpy as np
from _accomplice import deliver, target

EXPECT = "NaN or infinite"


def write(path):
    np.save(path, np.full(target.asked_shape, -np.inf, np.float32))


build_estimator = deliver(write)
