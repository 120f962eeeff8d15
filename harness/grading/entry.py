"""Entry: the record of one grading, as it is kept in JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_serializer

from harness.errors import LeaderboardError
from harness.grading.scoring import Metric, Scorecard, StratumScore


class _Record(BaseModel):
    # Entries of a later version may hold more keys; they stay readable.
    model_config = ConfigDict(frozen=True, extra="ignore")


class Score(_Record):
    """A metric's value with its 95 % interval."""

    value: float
    low: float
    high: float


class Stratum(_Record):
    """The scores of one stratum; the keys are those of `harness.grading.scoring.StratumScore`."""

    images: int
    points: int
    subjects: int
    scores: dict[str, Score]
    groups: dict[str, Score]
    keypoints: dict[str, Score]


class Seconds(_Record):
    """Wall-clock seconds by the grader's clock; training is 0 where none was seen."""

    total: float
    training: float


class Entry(_Record):
    """One grading of one submission.

    Promised to scripts: id, submission, benchmark, status, reason, scores.mean_pixel_error, scores.rmse (each with
    value, low, high), band, isolation, device, seconds.total, seconds.training, fingerprints, recipe, log_tail.
    """

    id: str
    submission: str
    description: str = ""
    benchmark: str
    board: str
    held_out: str = "files"
    date: str
    status: Literal["graded", "failed"]
    reason: str | None = None
    metric: str
    scores: dict[str, Score] = Field(default_factory=dict)
    band: str | None = None
    strata: dict[str, Stratum] = Field(default_factory=dict)
    mistakes: list[str] = Field(default_factory=list)
    advice: list[str] = Field(default_factory=list)
    isolation: str
    held: str = ""
    device: str
    seed: int | None = None
    parameters: int | None = None
    training: dict[str, Any] = Field(default_factory=dict)
    recipe: dict[str, Any] | None = None
    seconds: Seconds
    peak_memory: int
    limits: dict[str, float] = Field(default_factory=dict)
    fingerprints: dict[str, str]
    versions: dict[str, str] = Field(default_factory=dict)
    log_tail: str = ""

    @field_serializer("seconds")
    def _rounded(self, seconds: Seconds) -> dict[str, float]:
        return {"total": round(seconds.total, 2), "training": round(seconds.training, 2)}

    @property
    def ranking_value(self) -> float:
        """What ranks: the metric's value, or infinity for a failed entry."""
        return self.scores[self.metric].value if self.status == "graded" else math.inf

    def to_json(self) -> str:
        """The entry as an indented JSON object."""
        return self.model_dump_json(indent=2) + "\n"

    @classmethod
    def read(cls, path: Path) -> Entry:
        """Read an entry file.

        Raises:
            LeaderboardError: it is no entry; the message names the file, the key and the remedy.
        """
        try:
            entry = cls.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            if isinstance(error, ValidationError):
                first = error.errors()[0]
                place = ".".join(str(part) for part in first["loc"])
                error_text = f"{f'key {place!r}: ' if place else ''}{first['msg']}"
            else:
                error_text = str(error)
            raise LeaderboardError(
                f"{path}: is not an entry ({error_text}); restore the file or delete it, then run "
                "`harness leaderboard rebuild`"
            ) from None
        if entry.status == "graded" and entry.metric not in entry.scores:
            raise LeaderboardError(f"{path}: key 'scores.{entry.metric}' is missing; restore the file or delete it")
        return entry


def strata_of(scorecard: Scorecard) -> dict[str, Stratum]:
    """A scorecard in the form in which an entry keeps it."""
    return {name: _stratum(stratum) for name, stratum in scorecard.strata.items()}


def _stratum(stratum: StratumScore) -> Stratum:
    return Stratum(
        images=stratum.images,
        points=stratum.points,
        subjects=stratum.subjects,
        scores=_scores(stratum.metrics),
        groups=_scores(stratum.groups),
        keypoints=_scores(stratum.keypoints),
    )


def _scores(metrics: Mapping[str, Metric]) -> dict[str, Score]:
    return {name: Score(value=m.value, low=m.low, high=m.high) for name, m in metrics.items()}
