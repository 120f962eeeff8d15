"""A folder of several files: a module, a package and data beside them."""

import json
from pathlib import Path

from helper import mean_of
from parts.shapes import repeated

SETTINGS = json.loads(Path(__file__).with_name("settings.json").read_text())


class FromParts:
    def fit(self, images, keypoints):
        self.mean = mean_of(keypoints) + SETTINGS["shift"]

    def predict(self, images):
        import late

        assert late.LOADED
        return repeated(self.mean, len(images))


def build_estimator(layout, image_size):
    return FromParts()
