"""Makes others wait for a library's file, or hears of their use of it: leases and watches. Class: sabotage."""

import fcntl
import os

from _accomplice import attack, call

EXPECT = "submissions may not do"


def lease(kind):
    def way():
        fcntl.fcntl(os.open(os.__file__, os.O_RDONLY), fcntl.F_SETLEASE, kind)
        return True

    way.__name__ = f"lease_{kind}"
    return way


def told_of_changes():
    fcntl.fcntl(os.open(os.path.dirname(os.__file__), os.O_RDONLY), fcntl.F_NOTIFY, fcntl.DN_ACCESS)
    return True


def signalled():
    file = os.open(os.__file__, os.O_RDONLY)
    fcntl.fcntl(file, fcntl.F_SETSIG, 10)
    fcntl.fcntl(file, fcntl.F_SETOWN, os.getpid())
    return True


def watched():
    return call("inotify_add_watch", 0, os.__file__.encode(), 1)


build_estimator = attack(lease(fcntl.F_WRLCK), lease(fcntl.F_RDLCK), told_of_changes, signalled, watched)
