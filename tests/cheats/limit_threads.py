"""Starts threads until the machine has none left for others. Class: a fork bomb without a fork."""

import threading
import time

from _accomplice import attack

EXPECT = "started more"


def many():
    for _ in range(1000):
        threading.Thread(target=time.sleep, args=(600,)).start()
    time.sleep(600)


build_estimator = attack(many)
