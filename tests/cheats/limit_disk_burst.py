"""Takes far more disk than it may, in several files, for a blink between two looks, again and again.

Class: disk bytes.
"""

import os
import time

from _accomplice import attack, target

EXPECT = "wrote more than"

LIMITS = {"disk": 268_435_456, "seconds": 20}


def burst():
    for _ in range(6):
        time.sleep(0.31)
        files = [open(f"burst{number}", "wb") for number in range(8)]
        for file in files:
            os.posix_fallocate(file.fileno(), 0, target.disk)
        taken = sum(os.fstat(file.fileno()).st_blocks * 512 for file in files)
        for file in files:
            os.remove(file.name)
            file.close()
        print(f"held {taken:,} bytes")
    return True


build_estimator = attack(burst)
