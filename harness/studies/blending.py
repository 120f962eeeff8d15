"""blend(): several submissions graded as one, with weights that are fitted on training faces alone.

training faces in folds --> each member, trained without a fold --+--> predicts that fold ---------> weights --+
                                                                  +--> predicts the held-out images ----------+--> score

Held-out keypoints are used in the last step only, as in any grading.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.benchmark import Benchmark
from harness.datasets.faces import Split
from harness.errors import DataError, UsageError
from harness.grading.grade import Graded, Judge
from harness.grading.scoring import pixel_distances
from harness.runs.conditions import Conditions
from harness.runs.executors import Executor, JobListener
from harness.runs.job import Job
from harness.runs.run import Run
from harness.studies.blend_weights import METHODS, Floats, blended, cross_fitted_error
from harness.studies.folds import Folds
from harness.subjects import folds_by_subject
from harness.submission.source import Source

_LONGEST_NAME = 100


def blend(
    members: Sequence[Source],
    benchmark: Benchmark,
    split: Split,
    conditions: Conditions,
    executor: Executor,
    *,
    folds: int = 3,
    method: str = "auto",
    name: str | None = None,
    board: str | None = None,
    on_run: Callable[[str], None] = lambda _: None,
    listen: JobListener = lambda _, __: False,
) -> Graded:
    """Run each member once for each fold, fit weights to what they predict out of fold, and score the blend.

    If a member fails, the entry is a failed one with its name and its reason. Nothing is recorded yet.

    Args:
        members: two submissions or more.
        benchmark, split: what they are graded on.
        conditions: how each single run is run.
        executor: makes the runs; with a store, a second call goes on where the first one ended.
        folds: how many parts the training faces are divided into, by whole subjects.
        method: a name in `METHODS`, or "auto" for the one with the smallest error out of fold.
        name: what the leaderboard calls the blend; made from the members' names if None.
        board: the board's name; the benchmark's if None.
        on_run: called with a line when a run has finished.
        listen: called with each event of a run.

    Raises:
        UsageError: a member cannot be trained without a fold, or the name is not one for a leaderboard.
        DataError: there are too few fully labelled training faces for so many folds.
        HarnessError: something other than a member is at fault.
    """
    source = _source(members, name, folds, method)
    cutting = Folds(split, folds_by_subject(split.training.subjects, folds), conditions)
    if not all(cutting.faces(fold).any() for fold in range(folds)):
        raise DataError(f"{folds} folds leave one without a fully labelled training face; use fewer with --folds")
    runs, failed = _run_all(members, cutting, folds, executor, on_run, listen)
    judge = Judge(benchmark, split, conditions, board or benchmark.name)
    if failed is not None:
        return judge.graded(source, _together([*runs, failed]))
    whole = _together(runs)
    predictions, findings = _fitted(members, cutting, runs, method)
    source = replace(source, description=_described(findings))
    return judge.graded(source, replace(whole, predictions=predictions), extra={"blend": findings})


def _source(members: Sequence[Source], name: str | None, folds: int, method: str) -> Source:
    """The blend in the form of a submission: it has a name and a fingerprint, but no file of its own."""
    fingerprints = [member.fingerprint for member in members]
    if len(set(fingerprints)) < max(2, len(members)):
        raise UsageError("a blend takes two submissions or more, each of them once; name others")
    for member in members:
        if not member.has_code:
            raise UsageError(f"{member.path}: holds predictions, and a blend trains its members; name the submission")
    name = name or "-".join(["blend", *(member.name for member in members)])[:_LONGEST_NAME]
    if not re.fullmatch(r"\w[\w.-]*", name) or len(name) > _LONGEST_NAME:
        raise UsageError(f"--name {name!r}: use at most {_LONGEST_NAME} letters, digits, '_', and then '.' and '-'")
    identity = json.dumps([fingerprints, folds, method])
    return Source(
        path=Path(name),
        name=name,
        kind=members[0].kind,
        description=f"Blend of {', '.join(member.name for member in members)}.",
        fingerprint=hashlib.sha256(identity.encode()).hexdigest(),
        brings_data=any(member.brings_data for member in members),
    )


def _run_all(
    members: Sequence[Source],
    cutting: Folds,
    folds: int,
    executor: Executor,
    on_run: Callable[[str], None],
    listen: JobListener,
) -> tuple[list[Run], Run | None]:
    """The runs of every member on the first fold, then on the second, and so on; and the first that failed, if any."""
    places = [(fold, member) for fold in range(folds) for member in members]
    runs: dict[str, Run] = {}
    names: list[str] = []

    def jobs() -> Iterator[Job]:
        for fold, member in places:
            job = cutting.job(member, fold)
            names.append(job.name)
            yield job

    with closing(executor.run(jobs(), listen)) as finishing:
        for finished in finishing:
            run, place = finished.run(), finished.job.name
            kept = ", kept from before" if finished.kept else ""
            on_run(f"{place}: done (run {len(runs) + 1} of {len(places)}{kept})")
            if run.reason is not None:
                return list(runs.values()), replace(run, reason=f"{place}: {run.reason}")
            if run.facts.weights_loaded:
                raise UsageError(
                    f"{place}: loads its weights, which may have been learnt from the very faces that a fold leaves "
                    "out; take `weights = ...` out of it, so that it is trained"
                )
            runs[place] = run
    return [runs[name] for name in names], None


def _together(runs: Sequence[Run]) -> Run:
    """The runs of a blend as one: reason and log of the last, time of all, and the most memory of any."""
    last = runs[-1]
    parameters = [run.facts.parameters for run in runs if run.facts.parameters is not None]
    return replace(
        last,
        predictions=None,
        facts=last.facts.model_copy(
            update={
                "parameters": sum(parameters) if len(parameters) == len(runs) else None,
                "networks": [network for run in runs for network in run.facts.networks],
            }
        ),
        curves=[curve for run in runs for curve in run.curves],
        seconds=sum(run.seconds for run in runs),
        training_seconds=sum(run.training_seconds for run in runs),
        peak_memory=max(run.peak_memory for run in runs),
    )


def _gathered(members: int, cutting: Folds, runs: Sequence[Run]) -> tuple[Floats, Floats]:
    """Each member's predictions of the training faces, out of fold, and of the held-out faces, the mean of its runs.

    Training faces that lack a label were not asked for, and stay 0.
    """
    split = cutting.split
    training = np.zeros((members, *split.training.keypoints.shape))
    held_out = np.zeros((members, *split.held_out.keypoints.shape))
    for number, each in enumerate(runs):
        fold, member = divmod(number, members)
        inside, predictions = cutting.faces(fold), each.predictions
        assert predictions is not None, "a run without predictions ended the blend"
        training[member, inside] = predictions[: inside.sum()]
        held_out[member] += predictions[inside.sum() :] / (len(runs) // members)
    return training, held_out


def _fitted(
    members: Sequence[Source], cutting: Folds, runs: Sequence[Run], method: str
) -> tuple[NDArray[np.float32], dict[str, Any]]:
    """The blend's predictions for the held-out images, and what is known of it out of fold, in plain values."""
    faces = cutting.split.training.complete
    training, held_out = _gathered(len(members), cutting, runs)
    predictions, keypoints = training[:, faces], cutting.split.training.keypoints[faces].astype(np.float64)
    errors = {name: cross_fitted_error(fit, predictions, keypoints, cutting.of[faces]) for name, fit in METHODS.items()}
    used = min(errors, key=lambda name: errors[name]) if method == "auto" else method
    weights = METHODS[used](predictions, keypoints)
    findings = {
        "folds": len(runs) // len(members),
        "faces": len(keypoints),
        "members": [
            {
                "submission": member.name,
                "fingerprint": member.fingerprint,
                "out_of_fold_px": float(pixel_distances(predictions[number], keypoints).mean()),
                "weights": dict(
                    zip(cutting.split.training.layout.keypoints, weights[number].mean(axis=1).tolist(), strict=True)
                ),
            }
            for number, member in enumerate(members)
        ],
        "methods": errors,
        "used": used,
        "changes": cutting.conditions.overrides,
    }
    return blended(weights, held_out).astype(np.float32), findings


def _described(findings: dict[str, Any]) -> str:
    members = findings["members"]
    width = max(map(len, [*(member["submission"] for member in members), *METHODS]))
    lines = [
        f"Blend of {', '.join(member['submission'] for member in members)} by {findings['used']} weights.",
        f"Mean pixel error out of fold, on {findings['faces']:,} training faces in {findings['folds']} folds:",
    ]
    for member in members:
        weight = np.mean(list(member["weights"].values()))
        lines.append(f"  {member['submission']:<{width}}  {member['out_of_fold_px']:.3f}  mean weight {weight:.2f}")
    for name, error in findings["methods"].items():
        lines.append(f"  {name:<{width}}  {error:.3f}{'  used' if name == findings['used'] else ''}")
    return "\n".join(lines)
