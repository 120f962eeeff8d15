"""Reads the leaderboard and its entries, to learn about others and to climb it by probing (Blum and Hardt, 2015)."""

import glob
import os

from _accomplice import attack, target

EXPECT = "may not open"


def table():
    return open(target.leaderboard).read()


def entries():
    return os.listdir(target.entries) or glob.glob(target.entries + "/*")


def one_entry():
    return open(target.entries + "/rival.json").read()


build_estimator = attack(table, entries, one_entry)
