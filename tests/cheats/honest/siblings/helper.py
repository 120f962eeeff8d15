"""A module beside the submission."""

import numpy as np


def mean_of(keypoints):
    return np.nanmean(keypoints, axis=0)
