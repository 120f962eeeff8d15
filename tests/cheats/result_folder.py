"""Leaves a folder in place of its result, with files in it. Class: trap for the reader."""

from _accomplice import deliver

EXPECT = "is a link, a folder or a device"


def write(path):
    (path / "deeper").mkdir(parents=True)
    (path / "deeper" / "file").touch()


build_estimator = deliver(write)
