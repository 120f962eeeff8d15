"""Pictures of a result."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.datasets.faces import Split
from harness.grading.entry import Entry
from harness.grading.scoring import pixel_distances

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HOW_TO_DRAW = "pip install 'facial-keypoint-harness[plots]'"

_ROWS, _COLUMNS = 3, 5
_FEW = 30
"""Keypoints whose bars and dots have room at the usual size."""
_TRUE, _PREDICTED = "#2ecc71", "#e74c3c"


def draw_result(path: Path, entry: Entry, predictions: NDArray[np.float32], split: Split) -> None:
    """Draw the best, middling and worst held-out faces of the headline, and the error of each keypoint."""
    rows = next(iter(split.strata.values()))
    faces, points = split.held_out.take(rows), predictions[rows]
    errors = np.nanmean(pixel_distances(points, faces.keypoints), axis=1)
    order = np.argsort(errors)
    middle = len(order) // 2 - _COLUMNS // 2
    shown = {"best": order[:_COLUMNS], "middling": order[middle : middle + _COLUMNS], "worst": order[-_COLUMNS:]}
    figure = _figure(len(faces.layout))
    grid = figure.add_gridspec(_ROWS, _COLUMNS + 3)
    for row, (title, chosen) in enumerate(shown.items()):
        for column, face in enumerate(chosen):
            axes = figure.add_subplot(grid[row, column])
            _face(axes, faces.images[face], faces.keypoints[face], points[face])
            axes.set_title(f"{errors[face]:.2f} px", fontsize=8, pad=2)
            if column == 0:
                axes.set_ylabel(title, fontsize=9)
    _bars(figure.add_subplot(grid[:, _COLUMNS:]), entry)
    score = entry.scores["mean_pixel_error"]
    figure.suptitle(
        f"{entry.submission} on {entry.board}: mean pixel error {score.value:.2f} [{score.low:.2f}, {score.high:.2f}]",
        fontsize=11,
    )
    figure.savefig(path, dpi=110)


def can_draw() -> bool:
    """Whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def _figure(keypoints: int) -> Figure:
    from matplotlib.figure import Figure

    # Figure alone needs no display and leaves pyplot's global state untouched.
    return Figure(figsize=(11, 4.6 if keypoints <= _FEW else 1.2 + 0.115 * keypoints), layout="constrained")


def _face(axes: Axes, image: NDArray[np.uint8], true: NDArray[np.float32], predicted: NDArray[np.float32]) -> None:
    axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="bilinear")
    size = 1 if len(true) <= _FEW else 0.6
    axes.plot(true[:, 0], true[:, 1], "o", ms=3.6 * size, mfc="none", mec=_TRUE, mew=0.9 * size)
    axes.plot(predicted[:, 0], predicted[:, 1], "x", ms=3 * size, color=_PREDICTED, mew=0.9 * size)
    axes.set(xticks=[], yticks=[], xlim=(-0.5, image.shape[1] - 0.5), ylim=(image.shape[0] - 0.5, -0.5))


def _bars(axes: Axes, entry: Entry) -> None:
    headline = next(iter(entry.strata.values()))
    names = list(headline.keypoints)[::-1]
    values = [headline.keypoints[name] for name in names]
    spread = [[score.value - score.low for score in values], [score.high - score.value for score in values]]
    axes.barh(names, [score.value for score in values], xerr=spread, color="#5b8db8", ecolor="#333333", capsize=2)
    axes.margins(y=0.01)
    small = 8 if len(names) <= _FEW else 6
    axes.set_yticks(range(len(names)), [name.replace("_", " ") for name in names], fontsize=small)
    axes.tick_params(axis="x", labelsize=8)
    axes.set_xlabel("mean pixel error, 95 % interval", fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.plot([], [], "o", mfc="none", mec=_TRUE, label="true")
    axes.plot([], [], "x", color=_PREDICTED, label="predicted")
    axes.legend(fontsize=8, frameon=False, loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
