"""Starts more threads than it may, under a name that reads as the line of /proc that counts them.

Class: a limit on threads.
"""

import ctypes
import threading
import time

from _accomplice import attack

EXPECT = "started more"

NAME, PR_SET_NAME = "Threads:\t1", 15


def many():
    ctypes.CDLL(None).prctl(PR_SET_NAME, ctypes.c_char_p(NAME.encode()), 0, 0, 0)
    for _ in range(1000):
        threading.Thread(target=time.sleep, args=(600,)).start()
    time.sleep(600)


build_estimator = attack(many)
