"""Keeps bytes in files that live in memory and have no name: memfd_create, memfd_secret. Class: a limit on memory."""

import ctypes
import os

from _accomplice import attack, call

EXPECT = "submissions may not do"


def a_file():
    return os.memfd_create("answers")


def by_number():
    return call("memfd_create", ctypes.create_string_buffer(b"answers"), 0)


def a_secret_one():
    return call("memfd_secret", 0)


build_estimator = attack(a_file, by_number, a_secret_one)
