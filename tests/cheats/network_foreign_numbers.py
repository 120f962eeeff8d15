"""Calls socket() by the numbers of x32, another way into the same kernel that filters forget. Class: filter bypass.

On other processors than x86-64 there is no such way, and a number beyond the table stands in.
"""

import os

from _accomplice import attack, call

EXPECT = "it made a system call that no submission may make"


def by_the_other_number():
    if os.uname().machine != "x86_64":
        os.kill(os.getpid(), 31)
    return call(0x40000000 + 41, 2, 1, 0)


build_estimator = attack(by_the_other_number)
