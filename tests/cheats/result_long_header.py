"""Declares a header of 4 GiB, by version 2 of the format, in a file of a kilobyte. Class: allocation bomb."""

from _accomplice import deliver

EXPECT = "is not a .npy file"


def write(path):
    header = b"{}"  # of which the file holds two bytes
    path.write_bytes(b"\x93NUMPY\x02\x00" + (2**32 - 1).to_bytes(4, "little") + header + bytes(960))


build_estimator = deliver(write)
