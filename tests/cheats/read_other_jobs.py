"""Looks into the folders of other jobs beside its own, and into the plan by which it was locked in."""

import os
import sys

from _accomplice import attack, job, target

EXPECT = "may not open"


def beside():
    return os.listdir(target.jobs)


def plan():
    return open(job / "plan.json").read()


def plan_by_the_command_line():
    return open(sys.orig_argv[-1]).read()


def what_was_printed():
    return open(job / "log.txt").read()


def whole_job():
    return os.listdir(job)


build_estimator = attack(beside, plan, plan_by_the_command_line, what_was_printed, whole_job)
