"""Stops the clocks that it can reach, then loops. GPU kernel leaderboards were cheated by patched timers."""

import time

from _accomplice import attack

EXPECT = "it ran past its time limit"

LIMITS = {"seconds": 6}

time.time = time.monotonic = time.perf_counter = time.process_time = lambda: 0.0
time.monotonic_ns = time.perf_counter_ns = time.time_ns = lambda: 0


def forever():
    while time.monotonic() < 1:
        pass


build_estimator = attack(forever)
