"""Patches the worker's checks of predictions, to hand on what it would refuse: NaN, for some scorers a wildcard.

One known harness dropped such rows, and the score fell from 2.9 to 0.6.
"""

import numpy as np
from _accomplice import Mean

import harness.submission.contract
import harness.submission.worker

EXPECT = "predicted points are NaN or infinite"

for module in (harness.submission.contract, harness.submission.worker):
    module.as_predictions = lambda raw, *_: np.asarray(raw, np.float32)


class Cheat(Mean):
    def predict(self, images):
        predictions = super().predict(images)
        predictions[::2, 3:] = np.nan
        return predictions


def build_estimator(layout, image_size):
    return Cheat()
