"""Looks for a seed or a token in what it was started with: its environment, that of its kernel record, its stdin.

The organiser's token in the environment has been read by competitors elsewhere.
"""

import ctypes
import os
import sys

from _accomplice import attack

EXPECT = "graded"

NEEDLES = ("SECRET", "SEED=", "TOKEN", "KEY=", "PASSWORD", "HARNESS", "GITHUB", "CANARY")


def found_in(text):
    # Python's own hash seed is set for every worker and decides nothing.
    text = text.replace("PYTHONHASHSEED=", "")
    return [needle for needle in NEEDLES if needle in text.upper()]


def variables():
    return found_in("\n".join(f"{name}={value}" for name, value in os.environ.items()))


def as_the_kernel_keeps_it():
    return found_in(open("/proc/self/environ").read())


def through_libc():
    ctypes.CDLL(None).getenv.restype = ctypes.c_char_p
    return ctypes.CDLL(None).getenv(b"HARNESS_SECRET_SEED")


def standard_input():
    return sys.stdin.read()


build_estimator = attack(variables, as_the_kernel_keeps_it, through_libc, standard_input)
