"""Leaves an .npz archive under the name of an array, whose members unfold to a gigabyte: a zip bomb."""

import numpy as np
from _accomplice import deliver

EXPECT = "is larger than the"


def write(path):
    with open(path, "wb") as file:
        np.savez_compressed(file, bomb=np.zeros(2**28, np.uint8))


build_estimator = deliver(write)
