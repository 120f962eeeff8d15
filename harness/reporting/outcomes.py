"""What came of one submission, as the views show it: its entry, or that there is none and why."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from harness.benchmark import BANDS
from harness.estimates import Estimate
from harness.grading.entry import Entry
from harness.metrics import METRICS, Metric
from harness.text import one_line, printable, shortened

_LONGEST_LABEL = 200
"""Bytes."""
NOT_ITS_FAULT = (
    "There is no score, and the submission is not to blame: the harness, its data or the machine failed, or the "
    "grading was interrupted."
)


@dataclass(frozen=True)
class Fault:
    """A submission without an entry: the harness, the data or the machine failed on it, or the grading was interrupted.

    Attributes:
        name: of the submission, as far as it is known.
        reason: a sentence for the teacher; it may name paths of the grader's machine.
    """

    name: str
    reason: str


Outcome = Entry | Fault


def verdict(outcome: Outcome) -> str:
    """An outcome in a few words, such as ``very good, 15 of 20 points``."""
    if isinstance(outcome, Fault):
        return "not graded"
    band = outcome.band.replace("_", " ") if outcome.band in BANDS else "below ok"
    band = "failed" if outcome.status == "failed" else band
    return ", ".join(filter(None, (band, outcome.worth)))


def label(text: str) -> str:
    """A name for a line of a list: short, plain and never empty."""
    return printable(one_line(shortened(text, _LONGEST_LABEL))) or "-"


def main_scores(scores: Mapping[str, Estimate], ranked_by: str) -> list[tuple[Metric, Estimate]]:
    """What ranks, the mean pixel error and the rmse, as far as these scores have them."""
    names = dict.fromkeys((ranked_by, "mean_pixel_error", "rmse"))
    found = [(METRICS[name], scores[name]) for name in names if name in METRICS and name in scores]
    return [(metric, score) for metric, score in found if math.isfinite(score.value)]


def score_text(metric: Metric, score: Estimate) -> str:
    """A score in words, such as ``mean pixel error 1.60 px [1.52, 1.70]``."""
    unit = f" {metric.unit}".rstrip()
    interval = f"[{metric.number(score.low)}, {metric.number(score.high)}]"
    return f"{metric.title} {metric.number(score.value)}{unit} {interval}"
