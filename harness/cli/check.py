"""Try a submission in under twenty seconds, on the same code path as `grade`.

It trains for a few seconds on a few training faces and predicts others of them: that shows whether the contract is
kept and which known mistakes are made, and forecasts the full run. No held-out face is touched, nothing is recorded.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from harness.cli.parsing import add_run_arguments, open_faces, run_conditions
from harness.errors import SubmissionError, UsageError

if TYPE_CHECKING:
    from harness.benchmark import Benchmark
    from harness.datasets.faces import FaceSet
    from harness.runs.run import Run

EXAMPLES = """
  harness check submissions/my_model.py
  harness check submissions/my_model.py --benchmark kaggle --data ~/facial-keypoints-detection
"""

_TRAINING, _ASKED = 256, 64
_TRAINING_SECONDS = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``harness check``."""
    parser.add_argument("submission", metavar="SUBMISSION", help="a file, a folder, or a baseline's name")
    add_run_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the trial and print what it shows."""
    import numpy as np

    from harness.benchmark import load_benchmark
    from harness.reporting.console import plain, tail_lines
    from harness.reporting.progress import ProgressLine
    from harness.runs.executors import Local, run_one
    from harness.runs.job import Job, Material
    from harness.submission.source import find_source

    source = find_source(arguments.submission)
    if not source.has_code:
        raise UsageError(f"{source.path}: a CSV of predictions has nothing to run; `harness score` scores it")
    benchmark = load_benchmark(arguments.benchmark)
    faces, total = _some_training_faces(benchmark, arguments)
    training, asked = _trial(faces)
    conditions = run_conditions(arguments, benchmark, training_seconds=_TRAINING_SECONDS)
    images = np.concatenate([asked.images, asked.images[:, :, ::-1]])
    with ProgressLine(sys.stderr) as line:
        job = Job(source.label, source.pack(), Material(training, images), conditions)
        result = run_one(job, Local(), line.listen)
    if result.predictions is None:
        reason = f"{source.path}: {plain(result.reason or '')}"
        raise SubmissionError("\n".join([reason, *tail_lines(result.log_tail)]))
    print(f"{source.path}: the contract is kept\n")
    for text in [*_shown(result, asked), *_forecast(result, benchmark, len(training), total)]:
        print(f"  {text}")
    return 0


def _some_training_faces(benchmark: Benchmark, arguments: argparse.Namespace) -> tuple[FaceSet, int]:
    """Training faces to choose from, and how many the benchmark has in all."""
    from harness.benchmark import RenderedData

    if not isinstance(benchmark.data, RenderedData):
        faces = open_faces(benchmark, arguments).training
        return faces, len(faces)
    # A shorter rendered set begins like the longer one, and a newcomer's first check need not wait for all of it.
    few = benchmark.data.model_copy(update={"training": _TRAINING + 2 * _ASKED, "held_out": 1})
    return open_faces(benchmark.model_copy(update={"data": few}), arguments).training, benchmark.data.training


def _trial(faces: FaceSet) -> tuple[FaceSet, FaceSet]:
    """A few faces to learn from and a few complete ones of other subjects to predict."""
    import numpy as np

    subjects = np.unique(faces.subjects)
    order = np.random.default_rng(0).permutation(len(subjects))
    place = order[np.searchsorted(subjects, faces.subjects)]
    rows = np.argsort(place, kind="stable")
    complete = rows[faces.complete[rows]]
    asked = complete[-min(_ASKED, len(complete) // 2) :]
    others = rows[place[rows] < place[asked].min()]
    return faces.take(others[:_TRAINING]), faces.take(asked)


def _shown(result: Run, asked: FaceSet) -> list[str]:
    """The error after these few seconds, whether mirrored images are treated alike, and the known mistakes."""
    import numpy as np

    from harness.grading.diagnosis import find_mistakes
    from harness.grading.scoring import pixel_distances

    assert result.predictions is not None
    straight, mirrored = np.split(result.predictions, 2)
    back = asked.layout.flip(mirrored, asked.images.shape[2])
    error = np.nanmean(pixel_distances(straight, asked.keypoints))
    apart = np.linalg.norm(straight - back, axis=2).mean()
    lines = [
        f"error            {error:.2f} px after {result.training_seconds:.0f} s of training on a few faces",
        f"mirrored images  their points come back {apart:.2f} px apart from the originals'",
    ]
    mistakes = find_mistakes(straight, asked, finished=False)
    return lines + [f"known mistake    {sentence}" for sentence in mistakes or ["none that shows after these seconds"]]


def _forecast(result: Run, benchmark: Benchmark, tried: int, total: int) -> list[str]:
    from harness.units import format_bytes, format_seconds

    # The trainer reports its rate; of a competitor's own estimator only the whole time is known.
    facts = result.facts.get("training")
    rate = facts.get("images_per_second") if facts else None
    if rate:
        epochs = result.facts["recipe"]["epochs"]
        seconds = epochs * total / rate
        basis = f"{epochs} epochs at {rate:,.0f} images/s"
    else:
        seconds = result.training_seconds * total / tried
        basis = "if it grows with the number of faces"
    height, width = benchmark.image_size
    # The faces that the trial did without, once as they come and once on the device.
    memory = result.peak_memory + 2 * max(0, total - tried) * height * width
    limit = benchmark.limits.time
    return [
        f"forecast         {format_seconds(seconds)} of training ({basis}); the limit is {format_seconds(limit)}"
        + ("; it will train for fewer epochs, or raise --time-limit" if rate and seconds > limit else ""),
        f"memory           about {format_bytes(memory)}; the limit is {format_bytes(benchmark.limits.memory)}",
    ]
