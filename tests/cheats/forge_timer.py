"""Works outside the timer: claims that training has ended before it began, and trains while it predicts.

Students and speedruns moved work outside the measured part; the whole time is what counts here.
"""

import time

from _accomplice import Mean, tell

EXPECT = "graded"

for stage in ("training", "predicting"):
    tell({"kind": "stage", "stage": stage})
time.sleep(1)


class Cheat(Mean):
    def predict(self, images):
        time.sleep(1)
        tell({"kind": "facts", "seconds": 0, "training": {"seconds": 0}})
        return super().predict(images)


def build_estimator(layout, image_size):
    return Cheat()
