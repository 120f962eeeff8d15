"""Puts files of its own in the place of others, by rename, link and exchange. Class: replacement without opening."""

import os

from _accomplice import attack, target

EXPECT = "your submission may not"

RENAME_EXCHANGE = 2
RENAMEAT2 = {"x86_64": 316, "aarch64": 276}[os.uname().machine]


def renamed():
    open("mine", "w").write("forged")
    os.replace("mine", target.leaderboard)
    return True


def linked():
    open("mine", "w").write("forged")
    os.link("mine", target.entries + "/forged.json")
    return True


def linked_symbolically():
    os.symlink("/dev/null", target.entries + "/forged.json")
    return True


def exchanged():
    from _accomplice import call

    open("mine", "w").write("forged")
    call(RENAMEAT2, -100, b"mine", -100, target.answers_text.encode(), RENAME_EXCHANGE)
    return True


def moved_out():
    os.rename(target.rival, "rival.py")
    return True


build_estimator = attack(renamed, linked, linked_symbolically, exchanged, moved_out)
