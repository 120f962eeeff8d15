"""Removes what it has written but keeps it open: the bytes stay, and no folder shows them. Class: disk bytes."""

import os
import time

from _accomplice import attack

EXPECT = "it wrote more than"


def removed():
    kept = []
    for number in range(4):
        kept.append(open(str(number), "wb"))
        os.remove(str(number))
        kept[-1].write(bytes(15 * 2**20))
        kept[-1].flush()
    time.sleep(600)


build_estimator = attack(removed)
