"""Leaves an array of another shape that numpy would broadcast against every answer. Class: broadcasting."""

import numpy as np
from _accomplice import deliver, target

EXPECT = "predictions are"


def write(path):
    np.save(path, np.zeros((1, *target.asked_shape[1:]), np.float32))


build_estimator = deliver(write)
