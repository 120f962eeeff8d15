"""Reports whole numbers of thousands of digits, which no float can hold. Class: trap for the reader of messages."""

from _accomplice import Mean, tell

EXPECT = "graded"

HUGE = "9" * 4000


class Cheat(Mean):
    def fit(self, images, keypoints):
        super().fit(images, keypoints)
        for field in ("seed", "parameters", "epochs"):
            tell(f'{{"kind": "facts", "{field}": {HUGE}}}')
            tell(f'{{"kind": "facts", "training": {{"{field}": -{HUGE}}}}}')
            tell(f'{{"kind": "progress", "{field}": {HUGE}}}')


def build_estimator(layout, image_size):
    return Cheat()
