"""Patches the harness's own scorer, reader and check of predictions in the process that it runs in."""

import numpy as np
from _accomplice import Mean

import harness.grading
import harness.isolation.reader
import harness.scoring
import harness.submission
import harness.worker

EXPECT = "graded"

perfect = harness.scoring.Metric(0.0, 0.0, 0.0)
harness.scoring.score = harness.grading.score = lambda *_: {"mean_pixel_error": perfect}
harness.isolation.reader.read_predictions = lambda path, shape: np.zeros(shape)
harness.grading.read_csv = harness.grading.run_job = None


def build_estimator(layout, image_size):
    return Mean()
