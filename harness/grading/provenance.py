"""Where a submission was trained, and whether what it brought may have met the held-out people.

Kaggle's labels are public, and held-out rows are some of them: whoever trains at home may have learnt the answers. A
network that has not met the held-out subjects does worse on them than on subjects that it learnt from. One that has
met neither does equally on both, at an error that others have on strangers. What gives a memoriser away is no such gap
at an error that nobody who trained here has reached on strangers.
"""

from __future__ import annotations

from typing import Literal

from harness.benchmark import Benchmark
from harness.estimates import Estimate
from harness.metrics import METRICS
from harness.runs.run import Run
from harness.submission.source import Source
from harness.units import format_bytes

Trained = Literal["here", "brought", "nothing"]


def where_trained(source: Source, run: Run) -> Trained:
    """``here`` where the harness saw it learn from code alone, ``brought`` where it holds weights or other data,
    ``nothing`` where there was no training: a table of predictions, or a submission that failed before it began."""
    if not source.has_code or (run.reason is not None and not run.training_seconds):
        return "nothing"
    return "brought" if source.brings_data else "here"


def why_refused(source: Source, benchmark: Benchmark) -> str | None:
    """Why the card does not take a submission, before any of it is run; None if it does."""
    rules = benchmark.submission
    if source.refused is not None:
        return source.refused
    if rules.max_size is not None and source.size > rules.max_size:
        return (
            f"{source.path}: has {format_bytes(source.size)}, and {benchmark.name} takes at most "
            f"{format_bytes(rules.max_size)} of code and weights; hand in a smaller network"
        )
    if rules.weights == "refused" and (source.brings_data or not source.has_code):
        return (
            f"{source.path}: brings what was learnt elsewhere, and {benchmark.name} takes only what is trained here; "
            "hand in the code that trains it"
        )
    return None


def memoriser_flag(benchmark: Benchmark, held_out: Estimate, gap: Estimate) -> str | None:
    """A sentence with its figures, where brought weights look as if they knew the held-out faces; never a verdict.

    Args:
        benchmark: its card may say the best that a submission trained here has reached on strangers.
        held_out: the ranking metric on the held-out faces.
        gap: mean pixel error on the held-out faces less that on the sampled training faces.
    """
    metric = METRICS[benchmark.metric]
    known = benchmark.submission.best_on_strangers
    reached = benchmark.bands.outstanding if known is None else known
    if metric.reaches(reached, held_out.value) or gap.low > 0:
        return None
    whose = "which the card calls outstanding" if known is None else "the best that was trained here"
    return (
        f"It may know the held-out faces: {metric.title} {held_out.value:.2f} on them is better than {reached:.2f}, "
        f"{whose}, and it is not worse on them than on training subjects (mean pixel error {gap.value:+.2f} px "
        f"[{gap.low:+.2f}, {gap.high:+.2f}])."
    )
