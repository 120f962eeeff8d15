"""Puts a call into its header, for a reader that evaluates it. Class: code injection."""

from _accomplice import deliver, target

EXPECT = "damaged header"


def write(path):
    header = f"__import__('os').mkdir('/tmp/{target.mark}')".encode()
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(960))


build_estimator = deliver(write)
