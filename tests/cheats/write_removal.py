"""Removes rivals' entries, the answers and whole folders. Class: sabotage."""

import os
import shutil

from _accomplice import attack, target

EXPECT = "may not open"


def an_entry():
    os.remove(target.entries + "/rival.json")
    return True


def the_answers():
    os.unlink(target.answers)
    return True


def a_tree():
    shutil.rmtree(target.entries)
    return True


def a_tree_and_keep_quiet():
    shutil.rmtree(os.path.dirname(target.answers), ignore_errors=True)
    return not os.path.exists(target.answers)


def a_folder():
    os.rmdir(os.path.dirname(target.rival))
    return True


build_estimator = attack(an_entry, the_answers, a_tree, a_tree_and_keep_quiet, a_folder)
