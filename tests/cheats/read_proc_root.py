"""Takes other names for the same file: the roots and working folders in /proc, and dots. Class: path aliases."""

import os

from _accomplice import attack, target

EXPECT = "may not open"


def through(prefix):
    def way():
        return open(prefix + target.answers, "rb").read()

    way.__name__ = prefix
    return way


def by_dots():
    return open("../" * 40 + target.answers, "rb").read()


roots = [f"/proc/{process}/root" for process in ("self", "thread-self", os.getppid(), target.grader, target.victim, 1)]
build_estimator = attack(*map(through, roots), by_dots)
