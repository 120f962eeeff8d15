"""Changes its result from another thread up to the end, while the grader may be reading. Class: time of check."""

import threading

import numpy as np
from _accomplice import Mean, job

EXPECT = ""  # the threads die first: what is read is the one array or the other, whole, or is refused


class Cheat(Mean):
    def predict(self, images):
        right, path = super().predict(images).astype(np.float32), job / "output" / "predictions.npy"

        def change():
            while True:
                np.save(path, right)

        threading.Thread(target=change, daemon=True).start()
        return right


def build_estimator(layout, image_size):
    return Cheat()
