"""Has the kernel's io_uring open the socket: its operations pass a filter of system calls by. Class: filter bypass."""

import ctypes

from _accomplice import attack, call

EXPECT = "submissions may not do"


def a_ring():
    return call("io_uring_setup", 8, ctypes.create_string_buffer(120))


def registered():
    call("io_uring_register", -1, 0, 0, 0)
    return True


build_estimator = attack(a_ring, registered)
