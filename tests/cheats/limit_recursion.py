"""Calls itself for ever, with the interpreter's limit lifted. Class: crash of the stack."""

import sys

from _accomplice import attack

EXPECT = "while training"


def deeper():
    sys.setrecursionlimit(10**9)
    return max([0], key=lambda _: deeper())


build_estimator = attack(deeper)
