"""Gets a descriptor without rights (O_PATH) and opens it again through /proc. Class: a check at open only."""

import os

from _accomplice import attack, target

EXPECT = "may not open"


def through_proc():
    handle = os.open(target.answers, os.O_PATH)
    return open(f"/proc/self/fd/{handle}", "rb").read()


def below_a_folder():
    folder = os.open(os.path.dirname(target.answers), os.O_PATH)
    return os.read(os.open("answers.txt", os.O_RDONLY, dir_fd=folder), 10)


def as_the_working_folder():
    os.fchdir(os.open(os.path.dirname(target.answers), os.O_PATH))
    return open("answers.txt").read()


build_estimator = attack(through_proc, below_a_folder, as_the_working_folder)
