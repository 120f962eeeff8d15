"""Augments by albumentations, borrows a backbone of timm's, keeps notes in SQLite, maps arrays, caches by joblib."""

import sqlite3
import warnings

import albumentations
import joblib
import numpy as np
import timm
import torch
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.neighbors import KNeighborsRegressor

warnings.simplefilter("ignore")


class Toolbox:
    def fit(self, images, keypoints):
        self.mean = np.nanmean(keypoints, axis=0)
        self._look_at(np.repeat(images[0][..., None], 3, axis=2))
        flat, targets = images.reshape(len(images), -1)[:, ::16], np.nan_to_num(keypoints).reshape(len(images), -1)
        KNeighborsRegressor(n_jobs=2).fit(flat, targets).predict(flat)
        HistGradientBoostingRegressor(max_iter=3).fit(flat, targets[:, 0])
        joblib.Memory("cached", verbose=0).cache(np.sum)(flat)
        joblib.dump(flat, "flat.joblib")
        assert np.array_equal(joblib.load("flat.joblib", mmap_mode="r"), flat)
        mapped = np.lib.format.open_memmap("mapped.npy", "w+", np.float32, (100, 100))
        mapped[:] = 1
        mapped.flush()
        self._note("pragma journal_mode = wal")
        self._note("create table losses (epoch, loss)")
        self._note("insert into losses values (1, 0.5)")

    def predict(self, images):
        return np.repeat(self.mean[None], len(images), axis=0)

    def _look_at(self, image):
        steps = [albumentations.Affine(p=1), albumentations.ElasticTransform(p=1), albumentations.CLAHE(p=1)]
        image = albumentations.Compose(steps)(image=image)["image"]
        backbone = timm.create_model("resnet10t", pretrained=False, num_classes=0).eval()
        backbone(torch.from_numpy(image).permute(2, 0, 1)[None].float()).sum().backward()
        torch.save(backbone.state_dict(), "backbone.pt")
        backbone.load_state_dict(torch.load("backbone.pt", mmap=True, weights_only=True))

    def _note(self, statement):
        with sqlite3.connect("notes.db") as notes:
            notes.execute(statement)


def build_estimator(layout, image_size):
    return Toolbox()
