"""Where a submission was trained, and whether weights that it brought may have learnt from the held-out faces.

Kaggle's labels are public, and the held-out rows are among them, so weights that were trained elsewhere may know the
answers. A network that has not seen the held-out subjects has a larger error on them than on subjects that it learnt
from. One that has seen neither has the same error on both, but not a smaller one than networks trained here have on
held-out subjects. So weights are flagged where there is no such gap and the error is smaller than any trained here.
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
    """``here`` if it came as code alone and was trained by the harness; ``brought`` if it holds weights or other data;
    ``nothing`` if it was not trained: a table of predictions, or a submission that failed before training began."""
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
            "hand in the code that trains it, alone"
        )
    return None


def memoriser_flag(benchmark: Benchmark, held_out: Estimate, gap: Estimate) -> str | None:
    """A sentence with figures where brought weights may know the held-out faces: a reason to look, not a verdict.

    Args:
        benchmark: its card may give the best error that a submission trained here has reached on the held-out faces.
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
