"""Brings the answer key within reach by a link, a second name or a move, then opens that. Class: path confusion."""

import os

from _accomplice import attack, target

EXPECT = "may not open"


def by_symbolic_link():
    os.symlink(target.answers, "symbolic")
    return open("symbolic", "rb").read()


def by_hard_link():
    os.link(target.answers, "hard")
    return open("hard", "rb").read()


def by_moving_it_here():
    os.rename(target.answers, "moved")
    return open("moved", "rb").read()


def by_exchanging_folders():
    os.mkdir("mine")
    os.rename(os.path.dirname(target.answers), "mine")
    return os.listdir("mine")


build_estimator = attack(by_symbolic_link, by_hard_link, by_moving_it_here, by_exchanging_folders)
