"""Forks, so that a copy of it goes on when it has ended. Class: process that outlives the run."""

import os
import sys
import time

from _accomplice import attack, target

EXPECT = "tried to start another process or program, and submissions have one"


def lingering():
    if os.fork() == 0:
        time.sleep(600)
        os._exit(0)
    return True


def detached():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(600)", target.mark])
        os._exit(0)
    return True


def on_a_terminal():
    return os.forkpty()


build_estimator = attack(lingering, detached, on_a_terminal)
