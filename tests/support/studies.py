"""A study of `harness tune` without a training: its task, and the journal that it would leave."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from unittest.mock import patch

import numpy as np
import optuna
from optuna.distributions import FloatDistribution, distribution_to_json
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from harness.datasets.faces import FaceSet
from harness.errors import ContractError
from harness.isolation.limits import Limits
from harness.keypoints import FACE15
from harness.learning.recipe import Recipe
from harness.runs.conditions import Conditions
from harness.studies.tuning import Task, Tuner
from harness.submission.source import find_source
from support.tiny import draw_faces

SPACE = {"lr": FloatDistribution(1e-4, 1e-1, log=True)}


@cache
def task() -> Task:
    """Of a baseline on a few faces."""
    images, keypoints = draw_faces(4)
    faces = FaceSet(images, keypoints, np.arange(4), FACE15)
    conditions = Conditions(device="cpu", overrides={}, limits=Limits(), tier="none")
    return Task(find_source("plain_cnn"), faces, "data", 0.2, conditions)


def open_study(journal: Path) -> Tuner:
    """The study in a file; one that would have to ask its submission is refused."""
    with patch("harness.studies.tuning.ask_facts", side_effect=ContractError("no submission is asked here")):
        return Tuner(task(), journal)


def record_study(journal: Path) -> bytes:
    """Write a study of three trials; returns what the file holds."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = JournalStorage(JournalFileBackend(str(journal)))
    sampler = optuna.samplers.RandomSampler(seed=0)
    study = optuna.create_study(storage=storage, study_name=task().source.name, sampler=sampler)
    space = {name: json_of(each) for name, each in SPACE.items()}
    for name, value in (("recipe", Recipe().as_dict()), ("space", space), ("task", task().identity())):
        study.set_user_attr(name, value)
    for number, state in enumerate(("COMPLETE", "COMPLETE", "PRUNED")):
        trial = study.ask(SPACE if number else {})
        trial.set_user_attr("changes", dict(trial.params))
        trial.report(2.0, 1)
        study.tell(trial, 1.5 if state == "COMPLETE" else None, state=optuna.trial.TrialState[state])
    # Who wrote it, and when, would make another file of it each time.
    whole = re.sub(rb'"worker_id": ?"[^"]*"', b'"worker_id": "w"', journal.read_bytes())
    return re.sub(rb"\d{4}-\d\d-\d\dT[\d:.]+", b"2026-01-01T00:00:00.000000", whole)


def json_of(distribution: optuna.distributions.BaseDistribution) -> object:
    """A distribution as a worker tells it."""
    return json.loads(distribution_to_json(distribution))
