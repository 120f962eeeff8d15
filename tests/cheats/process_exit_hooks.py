"""Runs on when it should end: exit functions, finalisers, threads waited for. Class: work after the verdict."""

import atexit
import threading
import time
import weakref

from _accomplice import Mean

EXPECT = "graded"


def linger():
    time.sleep(600)


kept = Mean()
atexit.register(linger)
threading._register_atexit(linger)
weakref.finalize(kept, linger)


def build_estimator(layout, image_size):
    return Mean()
