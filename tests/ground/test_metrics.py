from __future__ import annotations

import numpy as np
import pytest

from harness.estimates import Bootstrap, Estimate
from harness.metrics import METRICS, Errors, measure

FACES = 20


def errors(pixels: float, nme: float = np.nan) -> Errors:
    """The same everywhere."""
    return Errors(np.full((FACES, 15), pixels), np.full(FACES, nme), Bootstrap(np.arange(FACES) % 5))


def test_every_metric_is_measured_in_its_order() -> None:
    assert list(measure(errors(2, 0.05))) == list(METRICS)


def test_metrics_of_the_nme_are_absent_where_no_image_has_one() -> None:
    assert list(measure(errors(2))) == ["mean_pixel_error", "rmse", "median", "percentile_95"]


@pytest.mark.parametrize("name", METRICS)
def test_each_metric_says_truly_which_way_is_better(name: str) -> None:
    metric = METRICS[name]
    good, bad = (metric.of(each).value for each in (errors(1, 0.01), errors(9, 0.2)))

    assert metric.place(good) < metric.place(bad)
    assert metric.reaches(good, bad) and metric.reaches(bad, bad) and not metric.reaches(bad, good)


def test_an_interval_has_columns_of_its_own() -> None:
    assert METRICS["rmse"].cells(Estimate(1, 0.5, 2)) == {"rmse": "1.0000", "rmse_low": "0.5000", "rmse_high": "2.0000"}
    assert METRICS["auc"].cells(None) == {"auc": ""}


def test_no_two_metrics_share_a_column() -> None:
    columns = [column for metric in METRICS.values() for column in metric.columns]

    assert len(set(columns)) == len(columns)
