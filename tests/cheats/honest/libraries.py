"""Uses what students reach for: scikit-learn with several jobs, scipy, pandas, logging to a file, a progress bar."""

import logging
import warnings

import pandas as pd
from scipy import ndimage
from sklearn.decomposition import PCA
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.pipeline import make_pipeline

warnings.simplefilter("ignore")
logging.basicConfig(filename="training.log", level=logging.INFO)


class Forest:
    def fit(self, images, keypoints):
        logging.info("training on %d images", len(images))
        self.model = make_pipeline(PCA(8), ExtraTreesRegressor(10, n_jobs=2, random_state=0))
        table = pd.DataFrame(keypoints.reshape(len(keypoints), -1))
        table.fillna(table.mean()).to_csv("keypoints.csv", index=False)
        self.model.fit(self._features(images), pd.read_csv("keypoints.csv"))

    def predict(self, images):
        return self.model.predict(self._features(images)).reshape(-1, 15, 2)

    def _features(self, images):
        return ndimage.gaussian_filter(images.astype(float), (0, 1, 1)).reshape(len(images), -1)


def build_estimator(layout, image_size):
    return Forest()
