"""Writes one file beyond its share of the disk. Class: a limit on disk bytes."""

from _accomplice import attack, target

EXPECT = "wrote a larger file than it may"


def large():
    with open("large", "wb") as file:
        for _ in range(100):
            file.write(bytes(2**20))
    return target


build_estimator = attack(large)
