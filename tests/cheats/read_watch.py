"""Watches folders to learn when answers are read and entries written. Class: side channel by notification."""

import ctypes
import os

from _accomplice import attack, call, target

EXPECT = "something that submissions may not do"


def inotify(path):
    def way():
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.inotify_add_watch(libc.inotify_init(), path.encode(), 0xFFF) < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return True

    way.__name__ = f"inotify_{os.path.basename(path)}"
    return way


def fanotify():
    return call("fanotify_init", 0, 0)


build_estimator = attack(inotify(target.answers), inotify(target.entries), inotify(target.jobs), fanotify)
