"""Loops while it is imported, before any clock for training has started. Class: work moved outside the timer."""

EXPECT = "it ran past its time limit"

LIMITS = {"seconds": 6}

while True:
    pass
