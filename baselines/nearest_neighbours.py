"""Nearest neighbours: the keypoints of the ten training faces that look most alike.

Faces look alike if they are near in the space of the first 50 principal components, each scaled to the same spread. A
mirrored copy of every training face is added. Each keypoint comes from the ten nearest rows in which it is labelled, so
no row need be complete. Cover and Hart, Nearest Neighbor Pattern Classification, 1967.
"""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsRegressor


class NearestNeighbours:
    """Principal components -> one search a keypoint."""

    def __init__(self, layout, components=50, neighbours=10):
        self.layout, self.components, self.neighbours = layout, components, neighbours

    def fit(self, images, keypoints):
        mirrored = self.layout.flip(keypoints, images.shape[2])
        images, keypoints = np.concatenate([images, images[:, :, ::-1]]), np.concatenate([keypoints, mirrored])
        self.space = PCA(min(self.components, len(images)), whiten=True, svd_solver="randomized", random_state=0)
        places = self.space.fit_transform(standardised(images))
        labelled = ~np.isnan(keypoints).any(axis=2)
        self.searches = [
            KNeighborsRegressor(min(self.neighbours, rows.sum()), weights="distance").fit(
                places[rows], keypoints[rows, keypoint]
            )
            for keypoint, rows in enumerate(labelled.T)
        ]
        return self

    def predict(self, images):
        places = self.space.transform(standardised(images))
        return np.stack([search.predict(places) for search in self.searches], axis=1)


def standardised(images):
    """(N, H, W) -> (N, H * W), each image with mean 0 and deviation 1, so that light and exposure do not count."""
    pixels = images.reshape(len(images), -1).astype(np.float32)
    pixels -= pixels.mean(axis=1, keepdims=True)
    return pixels / (pixels.std(axis=1, keepdims=True) + 1)


def build_estimator(layout, image_size):
    return NearestNeighbours(layout)
