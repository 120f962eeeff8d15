"""Makes folders that even their owner cannot list or enter, to hide files from the count and from the clean-up."""

import os

from _accomplice import Mean

EXPECT = ""  # root can look into the folder and grades it; others see that something is hidden, and say so


class Cheat(Mean):
    def fit(self, images, keypoints):
        super().fit(images, keypoints)
        os.mkdir("hidden")
        open("hidden/file", "w").close()
        os.mkdir("hidden/closed", 0)
        os.mkdir("listless", 0o300)
        open("listless/file", "w").close()


def build_estimator(layout, image_size):
    return Cheat()
