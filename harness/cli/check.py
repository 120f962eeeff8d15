"""Try a submission in under twenty seconds, on the same code path as `grade`.

It trains for a few seconds on some training faces and predicts others. That shows whether the contract is kept and
which known mistakes are made, and gives a forecast of the full run. Nothing is recorded; held-out faces are not used.
"""

from __future__ import annotations

import argparse
import math
import sys
from typing import TYPE_CHECKING, Any

from harness.cli.running import add_run_arguments, load_card, located, open_faces, run_conditions
from harness.errors import SubmissionError, UsageError
from harness.text import one_line, printable

if TYPE_CHECKING:
    from harness.benchmark import Benchmark
    from harness.datasets.faces import FaceSet
    from harness.isolation.limits import Limits
    from harness.runs.facts import NetworkFacts
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

    from harness.reporting.console import tail_lines
    from harness.reporting.progress import ProgressLine
    from harness.runs.executors import Local, run_one
    from harness.runs.job import Job, Material
    from harness.submission.source import find_source

    source = find_source(arguments.submission)
    if not source.has_code:
        raise UsageError(f"{source.path}: a CSV of predictions has nothing to run; `harness score` scores it")
    benchmark = load_card(arguments.benchmark)
    faces, total = _some_training_faces(benchmark, arguments)
    training, asked = _trial(faces)
    conditions = run_conditions(arguments, benchmark, training_seconds=_TRAINING_SECONDS)
    images = np.concatenate([asked.images, asked.images[:, :, ::-1]])
    with ProgressLine(sys.stderr) as line:
        job = Job(source.label, source.pack(), Material(training, images), conditions)
        result = run_one(job, Local(), line.listen)
    if result.predictions is None:
        reason = located(source, result.reason)
        raise SubmissionError("\n".join([reason, *tail_lines(result.log_tail)]))
    print(printable(f"{source.path}: the contract is kept\n"))
    forecast = _forecast(result, conditions.limits, benchmark.image_size, len(training), total)
    for text in [*_shown(result, asked), *forecast]:
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
    if not len(others):  # all show one subject, as far as is known
        others = np.setdiff1d(rows, asked)
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
        f"mirrored images  mirrored back, their points are {apart:.2f} px from the originals'",
    ]
    mistakes = find_mistakes(straight, asked, finished=False)
    lines += [f"known mistake    {sentence}" for sentence in mistakes or ["none visible after this short training"]]
    lines += [f"noted            {printable(one_line(note))}" for note in result.facts.notes]
    if result.facts.not_applied:
        lines.append(f"without effect   {printable(one_line(', '.join(result.facts.not_applied)))}")
    return lines


def _forecast(result: Run, limits: Limits, image_size: tuple[int, int], tried: int, total: int) -> list[str]:
    """What all training faces would take, of which ``tried`` were tried, and whether the limits allow it."""
    from harness.units import format_bytes, format_seconds

    networks = result.facts.networks
    if networks:
        rates = _rates(networks)
        seconds = sum(
            (network.epochs_planned or 0) * (network.rows or tried) * total / tried / rate
            for network, rate in zip(networks, rates, strict=True)
        )
        basis = _basis(networks, rates)
        verdict = "it will train for fewer epochs, or raise --time-limit"
    else:  # an estimator of the competitor's own: only its time in all is known
        seconds = result.training_seconds * total / tried
        basis = "if it grows with the number of faces"
        verdict = "it would be stopped; do less, or raise --time-limit"
    height, width = image_size
    # The faces that the trial left out, once as they are given and once on the device.
    memory = result.peak_memory + 2 * max(0, total - tried) * height * width
    limit = format_seconds(limits.seconds)
    return [
        f"forecast         {format_seconds(seconds)} of training ({basis}); the limit is {limit}"
        + (f"; {verdict}" if seconds > limits.seconds else ""),
        f"memory           about {format_bytes(memory)}; the limit is {format_bytes(limits.memory)}"
        + ("; use a smaller batch or network, or raise --memory-limit" if memory > limits.memory else ""),
    ]


def _rates(networks: list[NetworkFacts]) -> list[float]:
    """Images per second of each network; one that was not reached gets the rate of its own build, or the slowest."""
    reported = [each.images_per_second for each in networks]
    builds = [each.recipe | {"seed": None} for each in networks]

    def of_build(build: dict[str, Any]) -> float:
        known = [(rate, each) for rate, each in zip(reported, builds, strict=True) if rate]
        alike = [rate for rate, each in known if each == build]
        # Where every network loads its weights no rate is known, and none is needed.
        return min(alike or [rate for rate, _ in known], default=math.inf)

    return [rate or of_build(build) for rate, build in zip(reported, builds, strict=True)]


def _basis(networks: list[NetworkFacts], rates: list[float]) -> str:
    epochs = sum(network.epochs_planned or 0 for network in networks)
    trained = [rate for network, rate in zip(networks, rates, strict=True) if network.epochs_planned]
    if not trained:
        return "weights are loaded"
    pace = " to ".join(dict.fromkeys(f"{each:,.0f}" for each in (min(trained), max(trained))))
    together = f"{len(networks)} networks, " if len(networks) > 1 else ""
    return f"{together}{epochs} epochs at {pace} images/s"
