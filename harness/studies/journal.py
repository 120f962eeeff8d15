"""The journal of a study: a file that several processes append to, and that may hold anything when it is opened."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
from filelock import FileLock
from optuna.distributions import BaseDistribution, json_to_distribution
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from harness.errors import ContractError, UsageError
from harness.learning.changes import check_changes
from harness.learning.recipe import Recipe


def open_study(journal: Path, lock: FileLock, name: str) -> optuna.Study:
    """The study of this name in a journal; begun where the file is missing or empty.

    Raises:
        UsageError: the file holds something else, or is damaged.
        OSError: it cannot be read or written.
    """
    if journal.exists() and not journal.is_file():
        raise UsageError(f"{journal}: is a folder, a pipe or a device; name another file with --study FILE")
    try:
        # It asks no more of a lock than to be acquired and released.
        storage = JournalStorage(JournalFileBackend(str(journal), lock_obj=lock))  # type: ignore[arg-type]
        names = [study.study_name for study in storage.get_all_studies()]
        if names != [name] and journal.stat().st_size > 0:
            raise ValueError(f"it holds {names}")
        _drop_half_line(journal)
        study = optuna.create_study(storage=storage, study_name=name, load_if_exists=True)
        _check(study)
    except OSError:
        raise
    except Exception as error:  # Optuna replays whatever the file says, and fails in any way
        raise UsageError(
            f"{journal}: is not a study of {name}, or is damaged; name another file with --study FILE"
        ) from error
    return study


def is_finished(trial: FrozenTrial) -> bool:
    """Whether a trial came to an end: complete, pruned, or failed for a reason of its own."""
    # One that failed without a reason was given up by its process.
    failed = trial.state == TrialState.FAIL and "reason" in trial.user_attrs
    return failed or trial.state in (TrialState.COMPLETE, TrialState.PRUNED)


def distributions(space: Mapping[str, Any]) -> dict[str, BaseDistribution]:
    """A search space that a worker reported, checked, since it may be anything.

    Raises:
        ContractError: a range in it is not valid.
    """
    try:
        with warnings.catch_warnings():  # about a range that its step does not divide, which its author has seen
            warnings.simplefilter("ignore")
            return {name: json_to_distribution(json.dumps(each)) for name, each in space.items()}
    except (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ContractError(f"search_space(trial) asks for a range that is not valid: {error}") from None


def _check(study: optuna.Study) -> None:
    """Make sure that all is there that a study says of itself, in its form; raises anything otherwise."""
    trials = [trial for trial in study.get_trials(deepcopy=False) if is_finished(trial)]
    about = study.user_attrs
    if "task" not in about and not trials:
        return  # it has only begun
    Recipe.from_mapping(about["recipe"])
    distributions(about["space"])
    if not isinstance(about["task"], dict):
        raise TypeError("a task has names and values")
    for trial in trials:
        json.dumps(check_changes(trial.user_attrs.get("changes", {}), "changes"), allow_nan=False)
        if not isinstance(trial.user_attrs.get("reason", ""), str):
            raise TypeError("a reason is a text")
        if trial.state == TrialState.COMPLETE and not (
            len(trial.values) == 1 and math.isfinite(trial.values[0]) and "changes" in trial.user_attrs
        ):
            raise ValueError("a complete trial has one error, and says what it changed")


def _drop_half_line(journal: Path) -> None:
    """Remove what a killed process wrote of its last line; the next line would be written onto its end."""
    with journal.open("rb+") as file:
        content = file.read()
        file.truncate(content.rfind(b"\n") + 1)
