"""Leaves a named pipe as its result, at which a reader waits for ever. Class: denial of service."""

import os

from _accomplice import deliver

EXPECT = "submissions may not"


def write(path):
    os.mkfifo(path)


build_estimator = deliver(write)
