"""Starts programs by every function that Python has for it: a shell, curl, another interpreter. Class: escape."""

import os
import subprocess
import sys

from _accomplice import attack, target

EXPECT = "tried to start another process or program, and submissions have one"

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)", target.mark]


def by_subprocess():
    return subprocess.Popen(SLEEP, start_new_session=True)


def by_a_shell():
    return subprocess.check_output("id", shell=True)


def by_system():
    if os.system("true") != 0:  # says no in its exit code only
        raise PermissionError(1, "Operation not permitted")
    return True


def by_spawn():
    return os.posix_spawn(SLEEP[0], SLEEP, {})


def in_the_background():
    return os.spawnv(os.P_NOWAIT, SLEEP[0], SLEEP) and os.wait()[1] == 0


build_estimator = attack(by_subprocess, by_a_shell, by_system, by_spawn, in_the_background)
