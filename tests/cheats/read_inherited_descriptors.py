"""Goes through every descriptor that it was born with, in search of an open answer key, socket or folder."""

import os
import stat

from _accomplice import attack

EXPECT = "graded"


def files_and_sockets():
    found = []
    for number in range(3, 1024):
        try:
            mode = os.fstat(number).st_mode
            path = os.readlink(f"/proc/self/fd/{number}")
        except OSError:
            continue
        # Pipes lead to the grader's ear; what is below the libraries or the job is the worker's own.
        if stat.S_ISSOCK(mode) or stat.S_ISDIR(mode) or (stat.S_ISREG(mode) and "answers" in path):
            found.append(path)
    return found


build_estimator = attack(files_and_sockets)
