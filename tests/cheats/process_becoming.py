"""Becomes another program, which would start without the walls of this one if they did not last. Class: escape."""

import os
import sys

from _accomplice import attack

EXPECT = "tried to start another process or program"


def by_path():
    os.execv(sys.executable, [sys.executable, "-c", "print('gained')"])


def by_descriptor():
    os.execve(os.open("/usr/bin/env", os.O_RDONLY), ["env"], {})


build_estimator = attack(by_path, by_descriptor)
