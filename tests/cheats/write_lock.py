"""Holds the leaderboard's lock for ever, so that no other grading is recorded. Class: denial of service."""

import fcntl

from _accomplice import attack, target

EXPECT = "may not open"


def held(mode):
    def way():
        file = open(target.lock, mode)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return file

    way.__name__ = f"opened_{mode}"
    return way


build_estimator = attack(held("r"), held("a"))
