"""Reads a rival's source by other means than an import: as text, by linecache, by runpy, from its folder."""

import linecache
import os
import runpy

from _accomplice import attack, target

EXPECT = "may not open"


def as_text():
    return open(target.rival).read()


def line_by_line():
    return linecache.getlines(target.rival)


def run_as_a_script():
    return runpy.run_path(target.rival)


def folder():
    return os.listdir(os.path.dirname(target.rival))


build_estimator = attack(as_text, line_by_line, run_as_a_script, folder)
