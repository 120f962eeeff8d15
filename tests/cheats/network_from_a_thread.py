"""Connects from threads, some started while the module loads: a lock that binds one thread only would miss them."""

import ctypes
import socket
import threading

from _accomplice import attack, target

EXPECT = "graded"

through = []


def connect():
    try:
        through.append(socket.create_connection(target.tcp, timeout=1))
    except OSError:
        libc = ctypes.CDLL(None)
        if libc.socket(socket.AF_INET, socket.SOCK_DGRAM, 0) >= 0:
            through.append("libc")


early = [threading.Thread(target=connect) for _ in range(4)]
for thread in early:
    thread.start()


def early_threads():
    for thread in early:
        thread.join()
    return through


def late_threads():
    late = threading.Thread(target=connect)
    late.start()
    late.join()
    return through


build_estimator = attack(early_threads, late_threads)
