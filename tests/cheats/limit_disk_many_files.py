"""Writes many files, each of them within the limit, in both folders that it may write to. Class: disk bytes."""

import time

from _accomplice import attack, job

EXPECT = "it wrote more than"


def many():
    for folder in (job / "tmp", job / "output"):
        (folder / "deep").mkdir()
        for number in range(20):
            (folder / "deep" / str(number)).write_bytes(bytes(2**20))
    time.sleep(600)


build_estimator = attack(many)
