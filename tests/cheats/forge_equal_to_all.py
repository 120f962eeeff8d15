"""Returns an array whose comparisons are always true and whose differences are zero. Class: operator overloading."""

import numpy as np
from _accomplice import Mean

EXPECT = "graded"


class Perfect(np.ndarray):
    def __eq__(self, other):
        return True

    __hash__ = None

    def __array_ufunc__(self, function, method, *inputs, **options):
        plain = [each.view(np.ndarray) if isinstance(each, Perfect) else each for each in inputs]
        result = getattr(function, method)(*plain, **options)
        return np.zeros_like(result) if function is np.subtract else result


class Cheat(Mean):
    def predict(self, images):
        return super().predict(images).view(Perfect)


def build_estimator(layout, image_size):
    return Cheat()
