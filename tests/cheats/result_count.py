"""Leaves predictions for the easy images only, hoping that the others are not missed. Class: selection."""

import numpy as np
from _accomplice import deliver, target

EXPECT = "predictions are"


def write(path):
    np.save(path, np.zeros((3, *target.asked_shape[1:]), np.float32))


build_estimator = deliver(write)
