"""Ends its first thread and fills removed files in another: a process that looks dead shows no descriptors.

Class: disk bytes.
"""

import os
import threading
import time

from _accomplice import attack, call, target

EXPECT = "wrote more than"

LIMITS = {"seconds": 12}

SIZE, SYS_EXIT = 15 * 2**20, {"x86_64": 60, "aarch64": 93}


def filled():
    kept = []
    for number in range(2 * target.disk // SIZE):
        kept.append(open(str(number), "wb", buffering=0))
        os.remove(str(number))
        time.sleep(0.5)
        kept[-1].write(bytes(SIZE))
    time.sleep(60)


def alone():
    threading.Thread(target=filled).start()
    call(SYS_EXIT[os.uname().machine], 0)


build_estimator = attack(alone)
