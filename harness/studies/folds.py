"""Out-of-fold runs: submissions predict training faces of people they have not seen, and no finished run is lost."""

from __future__ import annotations

import hashlib
import io
import json
import time
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.datasets.faces import Split
from harness.errors import MachineError
from harness.files import write_atomically
from harness.runs.job import Conditions, Run, run_job
from harness.submission.source import Source


@dataclass(frozen=True)
class FoldRun:
    """A submission's run on one fold.

    Attributes:
        run: what came of it. Its predictions, where it has any, are first those of the fold's complete faces, then
            those of the held-out faces.
        seconds: wall clock from its start to its end.
    """

    run: Run
    seconds: float


@dataclass(frozen=True)
class Folds:
    """Training faces cut into folds by whole subjects; a run learns from all folds but one.

    Attributes:
        split: the faces.
        of: int (N,), the fold of each training face.
        conditions: how submissions are run.
        folder: where finished runs are kept.
    """

    split: Split
    of: NDArray[np.int64]
    conditions: Conditions
    folder: Path

    def faces(self, fold: int) -> NDArray[np.bool_]:
        """bool (N,): the fold's complete faces, which are what the headline scores."""
        return np.asarray((self.of == fold) & self.split.training.complete)

    def file(self, source: Source, fold: int) -> Path:
        """Where a submission's run on a fold is kept.

        The name changes with what decides its predictions; of the machine and of the limits it knows nothing.
        """
        decides = [
            version("facial-keypoint-harness"),
            source.fingerprint,
            self.split.fingerprint,
            hashlib.sha256((self.of == fold).tobytes()).hexdigest(),
            self.conditions.overrides,
            self.conditions.tier,
        ]
        key = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()
        return self.folder / f"{source.name}-{key[:16]}.npz"

    def run(self, source: Source, fold: int, on_progress: Callable[[dict[str, float]], None]) -> FoldRun:
        """Run a submission on a fold, or take its finished run from the folder.

        Raises:
            MachineError: this machine lacks what was asked for, or the folder cannot be read or written.
        """
        file = self.file(source, fold)
        if file.exists():
            return _read(file)
        training = self.split.training
        asked = np.concatenate([training.images[self.faces(fold)], self.split.held_out.images])
        started = time.monotonic()
        run = run_job(source, training.take(self.of != fold), asked, self.conditions, on_progress)
        finished = FoldRun(run, time.monotonic() - started)
        if run.predictions is not None:
            _write(file, finished)
        return finished


def _write(file: Path, finished: FoldRun) -> None:
    run = asdict(finished.run)
    predictions, _ = run.pop("predictions"), run.pop("weights")
    content = io.BytesIO()
    np.savez(content, predictions=predictions, about=json.dumps({"run": run, "seconds": finished.seconds}))
    try:
        write_atomically(file, content.getvalue())
    except OSError as error:
        raise MachineError(
            f"{file}: could not be written: {error.strerror}; name another folder with --work"
        ) from error


def _read(file: Path) -> FoldRun:
    try:
        with np.load(io.BytesIO(file.read_bytes())) as kept:
            about = json.loads(str(kept["about"]))
            return FoldRun(Run(predictions=kept["predictions"], **about["run"]), about["seconds"])
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise MachineError(f"{file}: is no run that was kept; delete it, and the run is made again") from error
