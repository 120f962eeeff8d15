"""Declares the other order of axes, so that x and y change places for whoever ignores it. Class: format confusion."""

from _accomplice import deliver, target

EXPECT = "predictions are"


def write(path):
    header = f"{{'descr': '<f4', 'fortran_order': True, 'shape': {tuple(target.asked_shape)}}}".encode()
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(960))


build_estimator = deliver(write)
