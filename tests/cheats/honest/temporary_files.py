"""Keeps checkpoints in temporary files and copies them with their times and permissions, as training loops do."""

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np


class WithCheckpoints:
    def fit(self, images, keypoints):
        with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile(suffix=".npy") as scratch:
            latest, best = Path(folder, "latest.npy"), Path(folder, "deeper", "best.npy")
            best.parent.mkdir()
            np.save(latest, np.nanmean(keypoints, axis=0))
            shutil.copy2(latest, best)
            shutil.copytree(best.parent, Path(folder, "copy"))
            shutil.move(latest, Path(folder, "moved.npy"))
            os.chmod(best, 0o444)
            os.utime(best)
            scratch.write(best.read_bytes())
            scratch.flush()
            self.mean = np.load(scratch.name)
        np.save("in_the_working_folder.npy", self.mean)
        Path("~/.cache/mine").expanduser().mkdir(parents=True)

    def predict(self, images):
        mean = np.load("in_the_working_folder.npy", mmap_mode="r")
        return np.repeat(mean[None], len(images), axis=0)


def build_estimator(layout, image_size):
    return WithCheckpoints()
