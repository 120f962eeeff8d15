"""Makes empty files, which take no disk bytes but the file system's inodes. Class: a limit on the number of files."""

import time

from _accomplice import attack

EXPECT = "it made more than 300 files"


def many():
    for number in range(1000):
        open(str(number), "w").close()
    time.sleep(600)


build_estimator = attack(many)
