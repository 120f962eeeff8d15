"""Keeps removed files open in a descriptor table that a thread has parted from the process's, unseen in /proc/PID/fd.

By close_range and by unshare. Class: disk bytes.
"""

import os
import threading
import time

from _accomplice import attack, call, target

EXPECT = "submissions may not do"

CLOSE_RANGE_UNSHARE, CLONE_FILES = 2, 0x400


def parted(name, *arguments):
    def way():
        refusals, size = [], 15 * 2**20

        def hoard():
            try:
                call(name, *arguments)
            except OSError as error:
                refusals.append(error)
                return
            kept = []
            for number in range(4):
                kept.append(open(f"{name}{number}", "wb", buffering=0))
                os.remove(f"{name}{number}")
                kept[-1].write(bytes(size))
            time.sleep(3)

        thread = threading.Thread(target=hoard)
        thread.start()
        thread.join()
        if refusals:
            raise refusals[0]
        return 4 * size > target.disk

    way.__name__ = name
    return way


build_estimator = attack(
    parted("close_range", 1000, 1000, CLOSE_RANGE_UNSHARE),
    parted("close_range", 1000, 1000, CLOSE_RANGE_UNSHARE | 4),
    parted("unshare", CLONE_FILES),
)
