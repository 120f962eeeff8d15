"""Leaves a file behind in the folders that everybody may write to. Class: collusion, persistence."""

import os

from _accomplice import attack, target

EXPECT = "may not open"


def file_in(folder):
    def way():
        with open(f"{folder}/{target.mark}", "w") as file:
            file.write("answers")
        return True

    way.__name__ = folder
    return way


build_estimator = attack(*map(file_in, ["/tmp", "/var/tmp", "/run", os.path.dirname(target.unix), target.jobs]))
