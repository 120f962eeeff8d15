"""Nests its header deeper than a parser may recurse. Class: trap for the parser."""

from _accomplice import deliver

EXPECT = "damaged header"


def write(path):
    header = b"-" * 4000 + b"1"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(960))


build_estimator = deliver(write)
