"""Leaves values whose squares overflow, for a mean that is infinite or NaN. Class: arithmetic overflow."""

import numpy as np
from _accomplice import deliver, target

EXPECT = "further than 10,000 pixels"


def write(path):
    np.save(path, np.full(target.asked_shape, 3e38, np.float32))


build_estimator = deliver(write)
