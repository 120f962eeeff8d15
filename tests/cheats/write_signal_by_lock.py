"""Locks a library's file, by which another submission at the same time would read a bit. Class: covert channel.

Nothing is refused, and nothing is locked: a second descriptor stands in for the other submission.
"""

import fcntl
import os
import struct

from _accomplice import attack

EXPECT = "graded"

F_OFD_GETLK, F_OFD_SETLK = 36, 37
WHOLE_FILE = struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, 0, 0, 0)


def opened():
    return os.open(os.__file__, os.O_RDONLY)


def by_flock():
    mine, others = opened(), opened()
    fcntl.flock(mine, fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        fcntl.flock(others, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def by_record_locks():
    mine, others = opened(), opened()
    fcntl.fcntl(mine, F_OFD_SETLK, WHOLE_FILE)
    fcntl.lockf(mine, fcntl.LOCK_SH | fcntl.LOCK_NB)
    wanted = struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0)
    return struct.unpack_from("h", fcntl.fcntl(others, F_OFD_GETLK, wanted))[0] != fcntl.F_UNLCK


build_estimator = attack(by_flock, by_record_locks)
