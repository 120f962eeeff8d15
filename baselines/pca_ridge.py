"""PCA and ridge regression: each keypoint linear in the amounts of 100 eigenfaces.

The eigenfaces come from every training image and its mirror image, labelled or not. Each keypoint has a regression of
its own, from the rows that have it, so no row need be complete.
Turk and Pentland, Eigenfaces for Recognition, 1991; Hoerl and Kennard, Ridge Regression, 1970.
"""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge


class PCARidge:
    """Eigenfaces -> one ridge regression a keypoint."""

    def __init__(self, layout, components=100, penalty=100):
        self.layout, self.components, self.penalty = layout, components, penalty

    def fit(self, images, keypoints):
        mirrored = self.layout.flip(keypoints, images.shape[2])
        images, keypoints = np.concatenate([images, images[:, :, ::-1]]), np.concatenate([keypoints, mirrored])
        # Whitened, every eigenface is penalised alike.
        self.eigenfaces = PCA(min(self.components, len(images)), whiten=True, svd_solver="randomized", random_state=0)
        amounts = self.eigenfaces.fit_transform(standardised(images))
        labelled = ~np.isnan(keypoints).any(axis=2)
        self.regressions = [
            Ridge(self.penalty).fit(amounts[rows], keypoints[rows, keypoint])
            for keypoint, rows in enumerate(labelled.T)
        ]
        return self

    def predict(self, images):
        amounts = self.eigenfaces.transform(standardised(images))
        return np.stack([regression.predict(amounts) for regression in self.regressions], axis=1)


def standardised(images):
    """(N, H, W) -> (N, H * W), each image with mean 0 and deviation 1, so that light and exposure do not count."""
    pixels = images.reshape(len(images), -1).astype(np.float32)
    pixels -= pixels.mean(axis=1, keepdims=True)
    return pixels / (pixels.std(axis=1, keepdims=True) + 1)


def build_estimator(layout, image_size):
    return PCARidge(layout)
