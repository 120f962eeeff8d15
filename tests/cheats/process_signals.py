"""Kills or stops its supervisor, the grader, its group, everybody, a stranger. Class: sabotage.

Signal 0 asks whether a signal would be let through and harms nobody; only the canary is really aimed at.
"""

import os
import signal

from _accomplice import attack, call, target

EXPECT = "submissions may not do"


def signalled(process, number=0):
    def way():
        os.kill(process, number)
        return True

    way.__name__ = f"signal_{number}_to_{process}"
    return way


def a_thread():
    call("tgkill", target.grader, target.grader, 0)
    return True


def an_old_thread():
    call("tkill", target.grader, 0)
    return True


def by_handle():
    call("pidfd_send_signal", call("pidfd_open", target.victim, 0), signal.SIGKILL, 0, 0)
    return True


def queued():
    call("rt_sigqueueinfo", target.victim, signal.SIGKILL, bytes(128))
    return True


build_estimator = attack(
    *map(signalled, (target.grader, os.getppid(), 0, -1, 1)),
    signalled(target.victim, signal.SIGKILL),
    a_thread,
    an_old_thread,
    by_handle,
    queued,
)
