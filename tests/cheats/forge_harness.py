"""Patches the harness's own scorer, reader and check of predictions in the process that it runs in."""

import numpy as np
from _accomplice import Mean

import harness.estimates
import harness.grading.grade
import harness.grading.scoring
import harness.isolation.reader
import harness.submission.contract
import harness.submission.worker

EXPECT = "graded"

perfect = harness.estimates.Estimate(0.0, 0.0, 0.0)
harness.grading.scoring.score = harness.grading.grade.score = lambda *_: {"mean_pixel_error": perfect}
harness.isolation.reader.read_predictions = lambda path, shape: np.zeros(shape)
harness.grading.grade.read_csv = harness.grading.grade.run_job = None


def build_estimator(layout, image_size):
    return Mean()
