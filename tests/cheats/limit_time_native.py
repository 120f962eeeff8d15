"""Loops in native code, where no Python signal handler, timer or exception can end it, with signals ignored."""

import re
import signal

from _accomplice import attack

EXPECT = "it ran past its time limit"

LIMITS = {"seconds": 6}


def matching():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM, signal.SIGXCPU, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    return re.match("(a+)+$", "a" * 60 + "b")


build_estimator = attack(matching)
