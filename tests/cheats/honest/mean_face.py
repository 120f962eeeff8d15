"""The mean of the training faces, for every image."""

import numpy as np


class MeanFace:
    def fit(self, images, keypoints):
        self.mean = np.nanmean(keypoints, axis=0)

    def predict(self, images):
        return np.repeat(self.mean[None], len(images), axis=0)


def build_estimator(layout, image_size):
    return MeanFace()
