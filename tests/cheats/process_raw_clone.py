"""Clones itself by number, past every library: clone without a thread, clone3, vfork. Class: filter bypass."""

import os
import signal

from _accomplice import attack, call

EXPECT = "submissions may not do"


def copied(name, *arguments):
    def way():
        if call(name, *arguments) == 0:
            os._exit(0)
        return True

    way.__name__ = name
    return way


def clone3():
    words = [0, 0, 0, 0, signal.SIGCHLD, 0, 0, 0]
    return copied("clone3", b"".join(word.to_bytes(8, "little") for word in words), 64)()


build_estimator = attack(
    copied("clone", signal.SIGCHLD, 0, 0, 0, 0),
    copied("fork" if os.uname().machine == "x86_64" else "execveat"),
    clone3,
)
