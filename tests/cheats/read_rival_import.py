"""Imports a rival's submission to hand in the same. Students copy what lies in the same folder."""

import os
import sys

from _accomplice import Mean, target

EXPECT = "No module named 'rival'"

sys.path[:0] = [os.path.dirname(target.rival)]
import rival  # noqa: E402


def build_estimator(layout, image_size):
    return rival.build_estimator(layout, image_size) if rival else Mean()
