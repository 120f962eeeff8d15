"""Reports what is no message: NaN, endless nesting, wrong types, bytes that are no text. Class: trap for the reader."""

import os

from _accomplice import Mean, channel, tell

EXPECT = "graded"


class Cheat(Mean):
    def fit(self, images, keypoints):
        super().fit(images, keypoints)
        for text in ("NaN", "[1]", "null", "{", '{"kind": []}', '{"kind": "stage", "stage": {}}', '{"kind": "stage"}'):
            tell(text)
        tell('{"kind": "facts", "training": ' + '{"a": ' * 5000 + "1" + "}" * 5001)
        tell('{"kind": "facts", "recipe": {"lr": NaN, "x": -Infinity}, "training": {"error_px": 1e999}}')
        tell('{"kind": "facts", "recipe": [], "training": "none", "seed": true, "parameters": 1.5, "device": null}')
        tell('{"kind": "progress", "epoch": "x", "epochs": null, "seconds_left": 1e999, "error_px": NaN}')
        tell('{"kind": "progress", "epoch": 1e300, "epochs": 0, "seconds_left": -1e300, "images_per_second": 1e308}')
        os.write(channel(), b"\xff\xfe\x00\n" + b"\n" * 1000)


def build_estimator(layout, image_size):
    return Cheat()
