"""Claims to be done and ends with exit code 0 without any result, where success means points."""

from _accomplice import Mean, finish

EXPECT = "there is no predictions.npy"


class Cheat(Mean):
    def predict(self, images):
        finish()


def build_estimator(layout, image_size):
    return Cheat()
