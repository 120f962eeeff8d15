"""Reserves disk without writing a byte, and a sparse terabyte beside it. Class: disk bytes."""

import os

from _accomplice import attack

EXPECT = "wrote a larger file than it may"


def reserved():
    with open("reserved", "wb") as file:
        os.posix_fallocate(file.fileno(), 0, 2**30)
    return True


def sparse():
    with open("sparse", "wb") as file:
        file.truncate(2**40)
    return True


build_estimator = attack(reserved, sparse)
