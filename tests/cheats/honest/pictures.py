"""Draws the loss with matplotlib, which keeps a cache of fonts, and images with OpenCV and PIL."""

import cv2
import matplotlib
import numpy as np
from PIL import Image

matplotlib.use("agg")
import matplotlib.pyplot as plt


class WithPictures:
    def fit(self, images, keypoints):
        self.mean = np.nanmean(keypoints, axis=0)
        figure, axes = plt.subplots()
        axes.plot(self.mean[:, 0], label="a line")
        axes.set_title("The mean face")
        axes.legend()
        figure.savefig("mean.png")
        plt.close(figure)
        cv2.imwrite("face.png", images[0])
        assert Image.open("face.png").size == images[0].shape[::-1]

    def predict(self, images):
        return np.repeat(self.mean[None], len(images), axis=0)


def build_estimator(layout, image_size):
    return WithPictures()
