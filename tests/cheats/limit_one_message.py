"""Sends one message that never ends, for the grader to keep until it does. Class: the grader's memory."""

import os

from _accomplice import Mean, channel

EXPECT = "graded"


class Cheat(Mean):
    def fit(self, images, keypoints):
        super().fit(images, keypoints)
        for _ in range(4000):
            os.write(channel(), b"[" * 2**16)
        os.write(channel(), b"\n")


def build_estimator(layout, image_size):
    return Cheat()
