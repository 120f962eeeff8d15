"""Leaves a second array behind the first, for whoever reads on. numpy.load takes trailing bytes."""

import numpy as np
from _accomplice import deliver, target

EXPECT = "bytes of data where"


def write(path):
    with open(path, "wb") as file:
        np.save(file, np.zeros(target.asked_shape, np.float32))
        np.save(file, np.ones(target.asked_shape, np.float32))


build_estimator = deliver(write)
