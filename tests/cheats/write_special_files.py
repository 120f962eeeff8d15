"""Makes files at which the grader would hang or trip: pipes, sockets, devices, links. Class: trap for the reader."""

import os
import stat

from _accomplice import attack, call, job, target

EXPECT = "submissions may not do"

output = job / "output"


def a_pipe():
    os.mkfifo(output / "predictions.npy")
    return True


def a_link():
    os.symlink(target.answers, output / "predictions.npy")
    return True


def a_device():
    os.mknod(output / "predictions.npy", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    return True


def a_socket():
    os.mknod(output / "predictions.npy", stat.S_IFSOCK | 0o666)
    return True


def a_link_to_the_answers():
    os.link(target.answers, output / "predictions.npy")
    return True


def a_mount():
    call("mount", b"none", str(output).encode(), b"tmpfs", 0, 0)
    return True


build_estimator = attack(a_pipe, a_link, a_device, a_socket, a_link_to_the_answers, a_mount)
