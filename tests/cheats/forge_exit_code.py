"""Ends with exit code 0 in the middle of training, where a grader might take that for success."""

import os

from _accomplice import Mean

EXPECT = "it ended without an error while training"


class Cheat(Mean):
    def fit(self, images, keypoints):
        os._exit(0)


def build_estimator(layout, image_size):
    return Cheat()
