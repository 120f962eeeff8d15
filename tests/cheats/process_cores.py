"""Leaves the cores and the scheduling that the grader gave it, and its session. Class: sabotage."""

import ctypes
import os
import struct
import threading

from _accomplice import attack, call

EXPECT = "submissions may not do"

PR_SCHED_CORE, PR_SET_PTRACER = 62, 0x59616D61
ATTRIBUTES = struct.pack("IIQiIQQQ", 48, os.SCHED_BATCH, 0, 0, 0, 0, 0, 0)


def cores(of):
    def way():
        os.sched_setaffinity(of(), range(os.cpu_count()))
        return True

    way.__name__ = f"cores_of_{of.__name__}"
    return way


def itself():
    return 0


def scheduling():
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    return True


def attributes():
    return call("sched_setattr", 0, ctypes.create_string_buffer(ATTRIBUTES), 0) == 0


def niceness():
    os.setpriority(os.PRIO_PROCESS, 0, 5)
    return True


def siblings():
    return call("prctl", PR_SCHED_CORE, 1, 0, 1, 0) == 0


def visitors():
    return call("prctl", PR_SET_PTRACER, -1, 0, 0, 0) == 0


def session():
    os.setsid()
    return True


build_estimator = attack(
    cores(itself), cores(os.getpid), cores(threading.get_native_id), scheduling, attributes, niceness, siblings,
    visitors, session,
)  # fmt: skip
