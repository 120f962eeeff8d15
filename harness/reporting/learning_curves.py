"""What a submission said of its networks, and how their errors fell in training, as a chart."""

from __future__ import annotations

import math
from dataclasses import dataclass

from markupsafe import Markup

from harness.grading.entry import Entry
from harness.reporting.drawing import Mark, Series, chart
from harness.runs.curves import Curve
from harness.runs.facts import Facts, NetworkFacts


@dataclass(frozen=True)
class Network:
    """What a submission said of one of its networks, with the learning curve; nothing of it was checked."""

    facts: NetworkFacts
    curve: Curve

    @property
    def rows(self) -> list[tuple[int, float | None, float | None]]:
        """(epoch, error, validation error) of about ten points of the curve, for a table."""
        points = list(zip(*(self.curve[name] for name in _COLUMNS), strict=True)) if self.curve else []
        step = max(1, len(points) // 9)
        shown = [*points[:-1:step], points[-1]] if points else []
        return [(int(epoch or 0), error, validation) for epoch, error, validation in shown]


_COLUMNS = ("epoch", "error_px", "validation_px")


def networks_of(entry: Entry) -> list[Network]:
    """The networks of an entry; none where what it holds of them has not the form of a worker's facts."""
    facts = Facts().updated({"networks": entry.networks}).networks
    return [Network(each, _checked(told.get("curve"))) for each, told in zip(facts, entry.networks, strict=False)]


def drawn(networks: list[Network]) -> Markup | None:
    """Error in training and on the validation part over the epochs of all networks, one after the other."""
    curves = [network.curve for network in networks if network.curve]
    training, validation = (_joined(curves, name) for name in ("error_px", "validation_px"))
    series = [
        Series(name, points, kind)
        for kind, (name, points) in enumerate((("training", training), ("validation", validation)))
        if any(y is not None for _, y in points)
    ]
    if not series:
        return None
    firsts = [curve["epoch"][0] for curve in curves]
    marks = [Mark(first, f"network {number}") for number, first in enumerate(firsts, start=1) if first is not None]
    ends = [
        f"On {name} it is {next(y for _, y in reversed(points) if y is not None):.2f} px at the end."
        for name, points in (("training faces", training), ("validation faces", validation))
        if any(y is not None for _, y in points)
    ]
    return chart(
        "learning",
        "Learning curves",
        f"Mean pixel error over the epochs of training. {' '.join(ends)} The table has more figures.",
        series,
        x_label="epoch",
        y_label="error in pixels",
        marks=marks if 1 < len(marks) <= 6 else (),
    )


def _joined(curves: list[Curve], name: str) -> list[tuple[float, float | None]]:
    """The points of all curves, with a gap between one and the next."""
    points: list[tuple[float, float | None]] = []
    for curve in curves:
        found = [(epoch, value) for epoch, value in zip(curve["epoch"], curve[name], strict=True) if epoch is not None]
        points += [*found, (found[-1][0], None)] if found else []
    return points


def _checked(curve: object) -> Curve:
    """A curve that can be drawn; an empty one where it has not the form of one."""
    if not isinstance(curve, dict):
        return {}
    columns = [curve.get(name) for name in _COLUMNS]
    if not all(isinstance(column, list) and len(column) == len(columns[0] or []) for column in columns):
        return {}
    values = [value for column in columns for value in column or []]
    if not all(value is None or (isinstance(value, int | float) and math.isfinite(value)) for value in values):
        return {}
    return {name: curve[name] for name in _COLUMNS}
