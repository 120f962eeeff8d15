"""Sends messages without end, each with other facts for the grader to remember. Class: the grader's memory."""

from _accomplice import Mean, tell

EXPECT = ""  # graded or stopped, as long as the grader stays small

COUNT = 3000


class Cheat(Mean):
    def fit(self, images, keypoints):
        super().fit(images, keypoints)
        for message in range(COUNT):
            facts = {f"{message}-{number}": "x" * 190 for number in range(300)}
            tell({"kind": "facts", **facts})


def build_estimator(layout, image_size):
    return Cheat()
