"""Fills the heap bit by bit, with pages that are really touched. Class: a limit on memory."""

from _accomplice import attack

EXPECT = "memory"


def filled():
    held = []
    while True:
        held.append(b"x" * 2**24)


build_estimator = attack(filled)
