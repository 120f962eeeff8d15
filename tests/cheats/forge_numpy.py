"""Patches numpy so that NaN passes every check in the worker. GPU kernel leaderboards were cheated so."""

import numpy as np
from _accomplice import Mean

EXPECT = "NaN or infinite"

np.isfinite = lambda array: np.ones(np.shape(array), bool)
np.isnan = lambda array: np.zeros(np.shape(array), bool)
np.allclose = lambda *_: True


class Cheat(Mean):
    def predict(self, images):
        return np.full((len(images), 15, 2), np.nan)


def build_estimator(layout, image_size):
    return Cheat()
