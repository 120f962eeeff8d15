"""Prints without end, past Python's own streams. Class: a limit on printed bytes."""

import os

from _accomplice import attack

EXPECT = "it printed more than 256 KiB"


def flood():
    while True:
        os.write(2, b"x" * 4096)


build_estimator = attack(flood)
