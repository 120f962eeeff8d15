"""Writes an entry of its own with a perfect score, and a leaderboard to match. Class: forged record."""

import json
import os

from _accomplice import attack, target

EXPECT = "may not open"


def an_entry():
    with open(target.entries + "/forged.json", "w") as file:
        json.dump({"status": "graded", "scores": {"mean_pixel_error": {"value": 0.0}}}, file)
    return True


def the_rivals_entry():
    return os.open(target.entries + "/rival.json", os.O_WRONLY | os.O_TRUNC)


def the_table():
    with open(target.leaderboard, "a") as file:
        file.write("1,mine,graded,0.0\n")
    return True


def a_board_of_its_own():
    os.mkdir(os.path.dirname(target.entries) + "/mine")
    return True


build_estimator = attack(an_entry, the_rivals_entry, the_table, a_board_of_its_own)
