"""Leaves a symbolic link to the answer key as its result, for the grader to read. Class: confused deputy."""

from _accomplice import deliver, target

EXPECT = "may not open"


def write(path):
    path.symlink_to(target.answers)


build_estimator = deliver(write)
