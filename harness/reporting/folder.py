"""An entry as a folder: the report, the record, the predictions and the log's tail."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from harness.benchmark import Benchmark
from harness.datasets.faces import Split
from harness.errors import MachineError
from harness.grading.grade import Graded
from harness.grading.predictions import write_wide
from harness.reporting.report import write_report

ENTRY, PREDICTIONS = "entry.json", "predictions.csv"


def write_folder(folder: Path, graded: Graded, benchmark: Benchmark, split: Split) -> Path:
    """Write ``entry.json``, ``log.txt``, ``report.html``, ``report.md`` and, for a graded entry, ``predictions.csv``.

    The report is for the competitor. Predictions of secret faces are for the teacher alone, and so is a log that says
    so.

    Returns:
        the page of the report.

    Raises:
        MachineError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ENTRY).write_text(graded.entry.to_json(), encoding="utf-8")
        (folder / "log.txt").write_text(_log(graded), encoding="utf-8")
        predictions = graded.predictions
        if predictions is not None:
            ids = np.arange(1, len(split.held_out) + 1)
            predictions = predictions[: len(ids)]  # of several trainings, the first
            write_wide(folder / PREDICTIONS, predictions, ids, split.held_out.layout)
        return write_report(folder, graded.entry, predictions, benchmark, split)
    except OSError as error:
        raise MachineError(f"{error.filename or folder}: could not be written: {error.strerror}") from error


def _log(graded: Graded) -> str:
    entry = graded.entry
    if (graded.reason, graded.log_tail) == (entry.reason, entry.log_tail):
        return entry.log_tail
    said = "" if graded.reason in (entry.reason, None) else f"{graded.reason}\n"
    return f"[For the teacher alone: what follows may show secret held-out faces.]\n{said}{graded.log_tail}"
