"""Spoils a rival's submission so that it fails when it is graded next. Class: sabotage."""

import os

from _accomplice import attack, target

EXPECT = "may not open"


def appended():
    with open(target.rival, "a") as file:
        file.write("\nraise SystemExit\n")
    return True


def shadowed():
    with open(os.path.dirname(target.rival) + "/numpy.py", "w") as file:
        file.write("raise SystemExit\n")
    return True


build_estimator = attack(appended, shadowed)
