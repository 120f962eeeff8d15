"""Steals descriptors that another process has open: from /proc, or by pidfd_getfd (Linux 5.6)."""

import os

from _accomplice import attack, call, target

EXPECT = "may not open"


def listed():
    return os.listdir(f"/proc/{target.grader}/fd")


def opened():
    return os.open(f"/proc/{target.grader}/fd/3", os.O_RDONLY)


def fetched():
    return call("pidfd_getfd", call("pidfd_open", target.grader, 0), 3, 0)


def compared():
    call("kcmp", os.getpid(), target.grader, 0, 0, 0)
    return True


build_estimator = attack(listed, opened, fetched, compared)
