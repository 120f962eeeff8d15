"""Leaves a file with a second name, which could be changed through the other. Class: time of check, time of use."""

import os

import numpy as np
from _accomplice import deliver, job, target

EXPECT = "is a link, a folder or a device"


def write(path):
    np.save(job / "output" / "other.npy", np.zeros(target.asked_shape, np.float32))
    os.link(job / "output" / "other.npy", path)


build_estimator = deliver(write)
