"""Ablation: what each trick of a submission is worth on the held-out faces, one changed at a time."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.benchmark import Benchmark
from harness.datasets.faces import Split
from harness.errors import ContractError, MachineError, SubmissionError
from harness.estimates import Estimate
from harness.grading.entry import Entry
from harness.grading.grade import Graded, grade
from harness.grading.predictions import read_csv, write_wide
from harness.grading.scoring import compare, score
from harness.learning.changes import check_variants
from harness.learning.recipe import Recipe
from harness.reporting.folder import ENTRY, PREDICTIONS
from harness.runs.job import Conditions, ask_facts
from harness.submission.source import Source

AS_IT_IS = "as it is"


@dataclass(frozen=True)
class Row:
    """What came of one trick, over all seeds.

    Attributes:
        trick: its name, or ``AS_IT_IS``.
        error: mean pixel error on the headline stratum; None where a training failed.
        difference: that error less the submission's as it is, paired: below 0 where the change makes it better.
        seconds: of one training.
        reason: why a training failed.
    """

    trick: str
    error: Estimate | None
    difference: Estimate | None
    seconds: float
    reason: str | None = None


class Ablation:
    """A submission and its tricks.

    Args:
        source, benchmark, split, conditions: as ``grade`` takes them.
        seeds: how often each trick is trained, with the submission's seed and those that follow it.
        folder: where each grading is kept once it is done; a later ablation goes on from there.

    Attributes:
        tricks: name -> changes; the first, ``AS_IT_IS``, changes nothing.

    Raises:
        SubmissionError: it cannot be loaded, or has no tricks.
        MachineError: this machine lacks what was asked for.
    """

    def __init__(
        self,
        source: Source,
        benchmark: Benchmark,
        split: Split,
        conditions: Conditions,
        *,
        seeds: int,
        folder: Path,
    ) -> None:
        self._source, self._benchmark, self._split, self._folder = source, benchmark, split, folder
        # What was predicted for the held-out images before lies in the folder.
        self._conditions = replace(conditions, secrets=(*conditions.secrets, folder))
        facts = ask_facts(source, split.training, conditions)
        if "variants" not in facts:
            raise ContractError(f"{source.path}: has no tricks to change; only a submission with build_model has any")
        self.tricks: dict[str, dict[str, Any]] = {AS_IT_IS: {}, **check_variants(facts["variants"])}
        first = Recipe.from_mapping(facts.get("recipe", {})).seed
        self._seeds = range(first, first + seeds)

    def row(self, trick: str, on_progress: Callable[[dict[str, float]], None]) -> Row:
        """Grade the submission with one trick, and as it is where that is not kept yet.

        Raises:
            SubmissionError: the submission fails as it is.
            MachineError: this machine lacks what was asked for, or a grading cannot be kept.
        """
        own, own_reason = self._all_seeds(AS_IT_IS, on_progress)
        if own_reason is not None:
            raise SubmissionError(f"{self._source.path}: fails before anything is changed: {own_reason}")
        if not own[0].entry.networks:
            raise ContractError(f"{self._source.path}: loads its weights, so no trick shows; take `weights` out of it")
        gradings, reason = self._all_seeds(trick, on_progress)
        seconds = sum(each.entry.seconds.training for each in gradings) / len(gradings)
        if reason is not None:
            return Row(trick, None, None, seconds, reason)
        # Every face stands there once for each seed; a subject is still drawn as a whole.
        faces = self._split.held_out.take(np.tile(np.arange(len(self._split.held_out)), len(gradings)))
        rows = np.tile(next(iter(self._split.strata.values())), len(gradings))
        points, before = _predictions(gradings), _predictions(own)
        error = score(points, faces, {"": rows}).headline.metrics["mean_pixel_error"]
        difference = compare(before, points, faces, rows).difference if trick != AS_IT_IS else None
        return Row(trick, error, difference, seconds)

    def _all_seeds(
        self, trick: str, on_progress: Callable[[dict[str, float]], None]
    ) -> tuple[list[Graded], str | None]:
        """The gradings with each seed, up to the first that failed, and why it did."""
        gradings = []
        for seed in self._seeds:
            overrides = self._conditions.overrides | self.tricks[trick] | {"seed": seed}
            gradings.append(self._grading(trick, replace(self._conditions, overrides=overrides), on_progress))
            if gradings[-1].predictions is None:
                return gradings, gradings[-1].entry.reason
        return gradings, None

    def _grading(self, trick: str, conditions: Conditions, on_progress: Callable[[dict[str, float]], None]) -> Graded:
        kept = self._folder / self._name(trick, conditions)
        held_out = self._split.held_out
        if kept.exists():
            predictions = read_csv(kept / PREDICTIONS, len(held_out), held_out.layout)
            return Graded(Entry.read(kept / ENTRY), predictions, None)
        graded = grade(self._source, self._benchmark, self._split, conditions, on_progress=on_progress)
        if graded.predictions is not None:
            _keep(graded, kept, self._split)
        return graded

    def _name(self, trick: str, conditions: Conditions) -> str:
        """Of a grading's folder; it changes with what decides the predictions."""
        decides = [
            self._source.fingerprint,
            self._split.fingerprint,
            conditions.overrides,
            conditions.device,
            conditions.limits.seconds,
        ]
        key = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()
        plain = re.sub(r"[^\w=-]+", "-", trick)[:40]
        return f"{plain}-seed{conditions.overrides['seed']}-{key[:8]}"


def _predictions(gradings: list[Graded]) -> NDArray[np.float32]:
    return np.concatenate([each.predictions for each in gradings if each.predictions is not None])


def _keep(graded: Graded, folder: Path, split: Split) -> None:
    """Write a grading as ``grade --out`` does, so that ``harness compare`` takes it; as a whole or not at all."""
    assert graded.predictions is not None
    part = folder.with_name(f".{folder.name}")
    try:
        part.mkdir(parents=True, exist_ok=True)
        (part / ENTRY).write_text(graded.entry.to_json(), encoding="utf-8")
        ids = np.arange(1, len(graded.predictions) + 1)
        write_wide(part / PREDICTIONS, graded.predictions, ids, split.held_out.layout)
        part.rename(folder)
    except OSError as error:
        raise MachineError(f"{error.filename or folder}: could not be written: {error.strerror}") from error
