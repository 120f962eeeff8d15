"""An entry as a folder: the record, the predictions, the log's tail and a picture of the faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from harness.datasets.faces import Split
from harness.errors import MachineError
from harness.grading.grade import Graded
from harness.grading.predictions import write_wide
from harness.reporting.plots import HOW_TO_DRAW, can_draw, draw_result

ENTRY, PREDICTIONS = "entry.json", "predictions.csv"


def write_folder(folder: Path, graded: Graded, split: Split) -> list[str]:
    """Write ``entry.json``, ``log.txt`` and, for a graded entry, ``predictions.csv`` and ``faces.png``.

    The picture shows held-out faces with their answers: it is for the teacher, not for the competitor. So is a log that
    says so.

    Returns:
        a sentence for each thing that this installation cannot draw.

    Raises:
        MachineError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ENTRY).write_text(graded.entry.to_json(), encoding="utf-8")
        (folder / "log.txt").write_text(_log(graded), encoding="utf-8")
        if graded.predictions is not None:
            ids = np.arange(1, len(split.held_out) + 1)
            predictions = graded.predictions[: len(ids)]  # of several trainings, the first
            write_wide(folder / PREDICTIONS, predictions, ids, split.held_out.layout)
            if not can_draw():
                return [f"{folder} has no picture, since matplotlib is not installed: {HOW_TO_DRAW}"]
            draw_result(folder / "faces.png", graded.entry, predictions, split)
    except OSError as error:
        raise MachineError(f"{error.filename or folder}: could not be written: {error.strerror}") from error
    return []


def _log(graded: Graded) -> str:
    entry = graded.entry
    if (graded.reason, graded.log_tail) == (entry.reason, entry.log_tail):
        return entry.log_tail
    said = "" if graded.reason in (entry.reason, None) else f"{graded.reason}\n"
    return f"[For the teacher alone: what follows may show secret held-out faces.]\n{said}{graded.log_tail}"
