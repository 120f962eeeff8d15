"""Computes in threads, pools and locks of every common kind, joblib's threads and a timer among them."""

import queue
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from joblib import Parallel, delayed


class InThreads:
    def fit(self, images, keypoints):
        with ThreadPoolExecutor(4) as pool:
            self.mean = np.stack(list(pool.map(lambda k: np.nanmean(keypoints[:, k], axis=0), range(15))))
        means = Parallel(n_jobs=2, backend="threading")(delayed(np.nanmean)(keypoints[:, k], axis=0) for k in range(15))
        assert np.allclose(means, self.mean)
        done = queue.Queue()
        threading.Timer(0.01, done.put, ["rung"]).start()
        assert done.get(timeout=10) == "rung"
        signal.signal(signal.SIGTERM, lambda *_: None)

    def predict(self, images):
        return np.repeat(self.mean[None], len(images), axis=0)


def build_estimator(layout, image_size):
    return InThreads()
