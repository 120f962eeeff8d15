"""Loops for ever. Class: a limit on time."""

from _accomplice import attack

EXPECT = "it ran past its time limit of 6 s"

LIMITS = {"seconds": 6}


def forever():
    while True:
        pass


build_estimator = attack(forever)
