"""Gives files names that are no text, or hold newlines and commands of a terminal. Class: trap for the clean-up."""

import os

from _accomplice import Mean

EXPECT = "graded"


class Cheat(Mean):
    def fit(self, images, keypoints):
        super().fit(images, keypoints)
        for name in (b"\xff\xfe", b"new\nline", b"\x1b[2J", b"::error::x", b"-rf", b" ", b"x" * 255):
            open(os.path.join(os.fsencode(os.getcwd()), name), "w").close()


def build_estimator(layout, image_size):
    return Cheat()
