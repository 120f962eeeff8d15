"""Waits for ever without using any processor time, which a limit on processor time would not see."""

import os

from _accomplice import attack

EXPECT = "it ran past its time limit"

LIMITS = {"seconds": 6}


def waiting():
    return os.read(os.pipe()[0], 1)


build_estimator = attack(waiting)
