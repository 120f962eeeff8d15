"""Returns an object that lies about its shape, type and values whenever it is asked. Class: confused checker."""

import numpy as np
from _accomplice import Mean

EXPECT = "predict() returned"


class Liar:
    shape, ndim, size, dtype = (8, 15, 2), 3, 240, np.dtype(np.float32)

    def __len__(self):
        return 8

    def __array__(self, dtype=None, copy=None):
        return np.zeros((8, 30), object)


class Cheat(Mean):
    def predict(self, images):
        return Liar()


def build_estimator(layout, image_size):
    return Cheat()
