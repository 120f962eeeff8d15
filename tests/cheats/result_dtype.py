"""Leaves numbers of other types: complex ones, whose parts a scorer may drop. Class: type confusion."""

import numpy as np
from _accomplice import deliver, target

EXPECT = "holds values of type"


def write(path):
    np.save(path, np.zeros(target.asked_shape, np.complex64))


build_estimator = deliver(write)
