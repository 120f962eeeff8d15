"""Leaves a file that is empty on disk but long: a terabyte if it may, else its limit. Class: allocation bomb."""

from _accomplice import deliver, target

EXPECT = "is larger than the"


def write(path):
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00")
        for length in (2**40, target.disk):
            try:
                file.truncate(length)
            except OSError as refusal:
                print(refusal)


build_estimator = deliver(write)
