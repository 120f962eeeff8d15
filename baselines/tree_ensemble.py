"""Tree ensembles in a cascade: each stage looks around the current points and predicts how far they are off.

The first stage begins at the mean face. Each stage has one ensemble of randomised trees for each keypoint, which sees
the patch around the current point and the positions of the other points relative to it; later stages look at smaller
patches in finer steps. A stage learns from the errors of trees that had not seen the row (out of bag), since those that
had seen it have almost no error. Each keypoint learns from the rows in which it is labelled, so no row need be
complete; every face is used twice, once mirrored.
Kazemi and Sullivan, One Millisecond Face Alignment, 2014; Geurts and others, Extremely Randomized Trees, 2006.
"""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from sklearn.ensemble import ExtraTreesRegressor

STAGES = ((32, 4), (24, 3), (20, 2), (14, 2), (8, 1))  # how far a patch reaches, how far apart its samples lie: pixels
TREES = 40


class TreeCascade:
    """(N, H, W) grey values from 0 to 255 -> (N, K, 2) keypoints in pixels, moved from the mean face stage by stage."""

    def __init__(self, layout):
        self.layout = layout

    def fit(self, images, keypoints):
        keypoints = np.concatenate([keypoints, self.layout.flip(keypoints, images.shape[2])])
        images = np.concatenate([images, images[:, :, ::-1]])
        self.mean = np.nanmean(keypoints, axis=0)
        self.stages = []
        places = np.repeat(self.mean[None], len(images), axis=0)
        for reach, step in STAGES:
            errors = keypoints - places
            with ThreadPoolExecutor() as pool:
                learnt = list(pool.map(learn, views(images, places, reach, step), errors.transpose(1, 0, 2)))
            self.stages.append([ensemble for ensemble, _ in learnt])
            places += np.stack([moves for _, moves in learnt], axis=1)
        return self

    def predict(self, images):
        mirrored = self._follow(np.ascontiguousarray(images[:, :, ::-1]))
        return (self._follow(images) + self.layout.flip(mirrored, images.shape[2])) / 2

    def _follow(self, images):
        places = np.repeat(self.mean[None], len(images), axis=0)
        for (reach, step), ensembles in zip(STAGES, self.stages, strict=True):
            seen = views(images, places, reach, step)
            places += np.stack([each.predict(view) for each, view in zip(ensembles, seen, strict=True)], axis=1)
        return places


def learn(view, errors):
    """Trees that predict one keypoint's errors (N, 2), NaN where unknown, from what they see; and their predictions."""
    known = ~np.isnan(errors).any(axis=1)
    ensemble = ExtraTreesRegressor(
        TREES, max_features=0.1, min_samples_leaf=2, bootstrap=True, oob_score=True, random_state=0
    )
    ensemble.fit(view[known], errors[known])
    told = ensemble.predict(view)
    told[known] = ensemble.oob_prediction_
    return ensemble, told


def views(images, places, reach, step):
    """What each keypoint's trees see, K times (N, F): the patch at its own contrast, the other keypoints' offsets."""
    height, width = images.shape[1:]
    smooth = np.stack([cv2.blur(image, (step, step)) for image in images])  # a sample stands for what lies around it
    offsets = np.arange(-reach, reach + 1, step)
    rows = np.arange(len(images))[:, None, None]
    seen = []
    for place in places.transpose(1, 0, 2).round().astype(int):
        xs = (place[:, 0, None, None] + offsets[None, None, :]).clip(0, width - 1)
        ys = (place[:, 1, None, None] + offsets[None, :, None]).clip(0, height - 1)
        patch = smooth[rows, ys, xs].reshape(len(images), -1).astype(np.float32)
        patch = (patch - patch.mean(axis=1, keepdims=True)) / (patch.std(axis=1, keepdims=True) + 1)
        shape = (places - place[:, None]).reshape(len(images), -1)
        seen.append(np.concatenate([patch, shape], axis=1))
    return seen


def build_estimator(layout, image_size):
    return TreeCascade(layout)
