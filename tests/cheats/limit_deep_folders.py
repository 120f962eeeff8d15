"""Nests folders deeper than Python may recurse, so that who removes them fails. Class: trap for the clean-up."""

import os

from _accomplice import Mean

EXPECT = "graded"

LIMITS = {"files": 2000}  # the default of every grading

DEPTH = 1500


class Cheat(Mean):
    def fit(self, images, keypoints):
        super().fit(images, keypoints)
        here = os.getcwd()
        for _ in range(DEPTH):
            os.mkdir("d")
            os.chdir("d")
        os.chdir(here)


def build_estimator(layout, image_size):
    return Cheat()
