"""Chart: the grid on which the head's surface is kept and painted, angle around the axis across and height down.

Lengths are in eye distances: the distance between the eye centres is 1. The head's axis stands upright in its middle;
x points to the right of the picture (the subject's left), y down, z to the viewer; y = 0 is the height of the eyes.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

COLUMNS, ROWS = 264, 196
SHAPE = (ROWS, COLUMNS)
MAX_ANGLE, TOP, BOTTOM = 2.4, -2.2, 2.6

ANGLES = np.linspace(-MAX_ANGLE, MAX_ANGLE, COLUMNS, dtype=np.float32)
HEIGHTS = np.linspace(TOP, BOTTOM, ROWS, dtype=np.float32)
SINE: NDArray[np.float32] = np.sin(ANGLES)[None]
COSINE: NDArray[np.float32] = np.cos(ANGLES)[None]

COLUMNS_PER_RADIAN = (COLUMNS - 1) / (2 * MAX_ANGLE)
ROWS_PER_LENGTH = (ROWS - 1) / (BOTTOM - TOP)

Real = TypeVar("Real", float, NDArray[np.float32], NDArray[np.float64])


def column(angle: Real) -> Real:
    """Where an angle lies on the chart, in columns."""
    return (angle + MAX_ANGLE) * COLUMNS_PER_RADIAN


def row(y: Real) -> Real:
    """Where a height lies on the chart, in rows."""
    return (y - TOP) * ROWS_PER_LENGTH


def window(angle: float, y: float, wide: float, high: float) -> tuple[slice, slice]:
    """The part of the chart within ``wide`` radians and ``high`` of a place."""
    top, bottom = max(0, int(row(y - high))), max(0, int(row(y + high)) + 2)
    left, right = max(0, int(column(angle - wide))), max(0, int(column(angle + wide)) + 2)
    return slice(top, bottom), slice(left, right)
