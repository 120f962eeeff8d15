"""Learning curves: how the error of each network fell in training, as its worker reported it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

Curve = dict[str, list[float | None]]
"""``epoch``, ``error_px`` and ``validation_px`` of the points of a curve, all of one length; empty where there is none.

Epochs count on from one network to the next.
"""

_MOST_OF_ONE, _MOST_OF_ALL = 100, 1000
"""Points of a curve, and of all curves of a run; entries keep them."""
_COLUMNS = ("epoch", "error_px", "validation_px")


def curves_of(progress: Iterable[Mapping[str, float]], networks: int) -> list[Curve]:
    """A curve for each of so many networks, from the figures of progress messages.

    Of a longer one evenly spaced points are kept, the first and the last among them.
    """
    points: list[list[Mapping[str, float]]] = [[] for _ in range(networks)]
    for figures in progress:
        network = figures.get("network", 0)
        if "epoch" in figures and network in range(networks):
            points[int(network)].append(figures)
    most = max(2, min(_MOST_OF_ONE, _MOST_OF_ALL // max(1, networks)))
    return [_curve(each, most) for each in points]


def _curve(points: list[Mapping[str, float]], most: int) -> Curve:
    if not points:
        return {}
    kept = np.unique(np.linspace(0, len(points) - 1, min(most, len(points))).round().astype(int))
    return {name: [_rounded(points[each].get(name)) for each in kept] for name in _COLUMNS}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
