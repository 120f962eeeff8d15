"""Leaves a header without all of its data, for whoever fills the rest from memory. Class: short read."""

import numpy as np
from _accomplice import deliver, target

EXPECT = "bytes of data where"


def write(path):
    with open(path, "wb") as file:
        np.save(file, np.zeros(target.asked_shape, np.float32))
        file.truncate(file.tell() - 4)


build_estimator = deliver(write)
