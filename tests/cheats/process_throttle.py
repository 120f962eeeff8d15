"""Slows the grader and others down: their limits, cores, priorities. Class: sabotage."""

import os
import resource

from _accomplice import attack, call, target

EXPECT = "submissions may not do"


def limits(process):
    def way():
        resource.prlimit(process, resource.RLIMIT_CPU, (10**6, 10**6))
        return True

    way.__name__ = f"limits_of_{process}"
    return way


def cores():
    os.sched_setaffinity(target.victim, {0})
    return True


def scheduler():
    os.sched_setscheduler(target.victim, os.SCHED_IDLE, os.sched_param(0))
    return True


def priority():
    os.setpriority(os.PRIO_PROCESS, target.victim, 19)
    return True


def disk_priority():
    call("ioprio_set", 1, target.victim, 3 << 13)
    return True


build_estimator = attack(limits(target.victim), limits(os.getppid()), cores, scheduler, priority, disk_priority)
