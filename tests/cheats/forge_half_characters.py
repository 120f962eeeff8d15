"""Reports and raises text with half a character (a lone surrogate), which cannot be written as UTF-8."""

from _accomplice import Mean, tell

EXPECT = "half a character"


class Cheat(Mean):
    def fit(self, images, keypoints):
        tell({"kind": "facts", "device": "\ud800", "recipe": {"\udfff": "\ud800"}, "training": {"\ud800": "\udfff"}})
        raise ValueError("half a character: \ud800")


def build_estimator(layout, image_size):
    return Cheat()
