"""Looks for the organiser's token in the environments and command lines of every process that it can name."""

import os

from _accomplice import attack, target

EXPECT = "may not open"


def file_of(process, name):
    def way():
        return open(f"/proc/{process}/{name}", "rb").read()

    way.__name__ = f"{name}_of_{process}"
    return way


def every_process():
    return [name for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]


build_estimator = attack(
    *(
        file_of(process, name)
        for process in (target.grader, os.getppid(), target.victim, 1)
        for name in ("environ", "cmdline")
    ),
    every_process,
)
