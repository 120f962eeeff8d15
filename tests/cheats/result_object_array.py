"""Leaves an array of objects, which is a pickle inside and runs code when it is loaded. Class: deserialisation."""

import os

import numpy as np
from _accomplice import deliver, target

EXPECT = "holds values of type"


class Payload:
    def __reduce__(self):
        return os.mkdir, (f"/tmp/{target.mark}",)


def write(path):
    np.save(path, np.array([Payload()], object), allow_pickle=True)


build_estimator = deliver(write)
