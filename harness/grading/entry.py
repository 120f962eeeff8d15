"""Entry: the record of one grading, as it is kept in JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    create_model,
    field_serializer,
    model_validator,
)

from harness.errors import LeaderboardError
from harness.estimates import Estimate
from harness.files import read_regular
from harness.grading.scoring import Scorecard, StratumScore
from harness.points import Mark, in_words
from harness.text import is_plain_json, plain_values

_LARGEST = 2**22
"""Bytes of an entry's file; those of a grading have a hundredth of it."""

Whole = Annotated[int, Field(ge=-(2**63), lt=2**64)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Record(BaseModel):
    # Entries of a later version may hold more keys; they stay readable.
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Stratum(_Record):
    """The scores of one stratum; the keys are those of `harness.grading.scoring.StratumScore`."""

    images: Whole
    points: Whole
    subjects: Whole
    scores: dict[str, Estimate]
    groups: dict[str, Estimate]
    keypoints: dict[str, Estimate]


class Seconds(_Record):
    """Wall-clock seconds by the grader's clock; training is 0 where none was seen."""

    total: float
    training: float


class Training(_Record):
    """One of several trainings: its seed, its scores, and how long it took by the grader's clock."""

    seed: Whole
    scores: dict[str, float]
    seconds: Seconds


class Regrade(_Record):
    """What an entry that was graded anew takes the place of."""

    of: str
    reason: str = ""


class Entry(_Record):
    """One grading of one submission.

    Promised to scripts: id, author, submission, benchmark, status, reason, scores.mean_pixel_error, scores.rmse (each
    with value, low, high), band, trained, isolation, device, seconds.total, seconds.training, fingerprints, overrides,
    recipe, versions, log_tail.

    Attributes:
        author, submission: together they name a row of a board; the author is empty where none was given.
        metric: what the benchmark ranked by when this was graded.
        trainings: where the score is the mean over several, each of them; ``seconds`` are then those of one on average.
        points, max_points: what the score is worth by the card, and the most that any can be; a failure is worth 0.
            None in entries of versions that did not say.
        marks: the points one by one; together they are ``points`` of ``max_points``.
        trained: "here", "brought" (weights or data that came with the submission) or "nothing"; empty in entries of
            version 0.1, which did not say.
        gap: mean pixel error on the held-out faces less that on a sample of the training faces.
        flags: what a person should look at, a sentence each.
        blend: of a blend, its members, their weights and their errors out of fold.
        size: bytes of code and weights together, as they were handed in.
        overrides: changes from outside: recipe fields and keywords of ``build_model``.
        not_applied: names of those that this submission has no use for.
        notes: how its outputs were read, and the warnings that it caused, a sentence each.
        told: which of these keys hold what the submission's process said of itself, which nobody checked.
        threads: how many threads it computed with, such as "2" or "2, then 1".
        networks: for each network its recipe, its layers and how training went: rows, epochs, curve and more.
        recipe: that of the only network, otherwise None.
        fingerprints: sha256 of the ``source``, of the ``data``, of the ``card`` and of the ``harness``'s own code.
        asked: what the command line asked for besides ``overrides`` and ``limits``: ``device`` and ``threads``.
        kept: sha256 of the ``predictions`` and of the list of files of the ``source`` that are kept beside the entries.
        regrade: of an entry that was graded anew, the id of the one that it replaces, and why.
        heads: id -> hash of the entries that stood on the board when this one was recorded and that no other named;
            None in entries that no board has recorded, or one of an earlier version.
        hash: sha256 of all other keys; see `harness.board.links`.
    """

    id: str
    author: str = ""
    submission: str
    description: str = ""
    benchmark: str
    board: str
    held_out: str = "files"
    date: str
    status: Literal["graded", "failed"]
    reason: str | None = None
    metric: str
    scores: dict[str, Estimate] = Field(default_factory=dict)
    band: str | None = None
    points: float | None = None
    max_points: float | None = None
    marks: list[Mark] = Field(default_factory=list)
    strata: dict[str, Stratum] = Field(default_factory=dict)
    mistakes: list[str] = Field(default_factory=list)
    advice: list[str] = Field(default_factory=list)
    trained: Literal["here", "brought", "nothing", ""] = ""
    gap: Estimate | None = None
    flags: list[str] = Field(default_factory=list)
    blend: dict[str, Any] | None = None
    isolation: str
    held: str = ""
    trainings: list[Training] = Field(default_factory=list)
    device: str
    threads: str = ""
    told: list[str] = Field(default_factory=list)
    seed: Whole | None = None
    parameters: Whole | None = None
    size: Whole | None = None
    overrides: dict[str, Any] = Field(default_factory=dict)
    not_applied: list[str] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)
    networks: list[dict[str, Any]] = Field(default_factory=list)
    recipe: dict[str, Any] | None = None
    seconds: Seconds
    peak_memory: Whole
    limits: dict[str, float] = Field(default_factory=dict)
    fingerprints: dict[str, str]
    versions: dict[str, str] = Field(default_factory=dict)
    log_tail: str = ""
    asked: dict[str, Any] = Field(default_factory=dict)
    kept: dict[str, Sha256] = Field(default_factory=dict)
    regrade: Regrade | None = None
    heads: dict[str, Sha256] | None = None
    hash: str = ""

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, data: Any) -> Any:
        """Nothing that an entry holds can command a terminal, or show otherwise than it is written."""
        return plain_values(data)

    @field_serializer("seconds")
    def _rounded(self, seconds: Seconds) -> dict[str, float]:
        return {"total": round(seconds.total, 2), "training": round(seconds.training, 2)}

    @model_validator(mode="before")
    @classmethod
    def _of_version_0_1(cls, data: Any) -> Any:
        """Version 0.1 said under ``training`` how training went."""
        if isinstance(data, dict) and isinstance(data.get("training"), dict) and "networks" not in data:
            return data | {"networks": networks_of(data["training"], data.get("recipe"))}
        return data

    @property
    def name(self) -> str:
        """``author/submission``, or ``submission`` where no author was given."""
        return row_name(self.author, self.submission)

    @property
    def worth(self) -> str:
        """Its points in words, such as ``15 of 20 points``; empty where they are not known."""
        if self.points is None or self.max_points is None:
            return ""
        return in_words(self.points, self.max_points)

    def to_json(self) -> str:
        """The entry as an indented JSON object."""
        return self.model_dump_json(indent=2) + "\n"

    @classmethod
    def read(cls, path: Path) -> Entry:
        """Read an entry file.

        Raises:
            LeaderboardError: it is not an entry; the message names the file, the key and the remedy.
        """
        try:
            content = read_regular(path, _LARGEST)
            if is_plain_json(content):
                fields = _FIELDS.model_validate_json(content)
                if "networks" in fields.model_fields_set:  # otherwise it may be of version 0.1
                    return cls.model_construct(fields.model_fields_set, **vars(fields))
            return cls.model_validate_json(content)
        except (OSError, ValidationError) as error:
            if isinstance(error, ValidationError):
                first = error.errors(include_input=False)[0]
                place = ".".join(str(part)[:80] for part in first["loc"])
                error_text = f"{f'key {place!r}: ' if place else ''}{first['msg'][:200]}"
            else:
                error_text = error.strerror or str(error)
            raise LeaderboardError(
                f"{path}: is not an entry ({error_text}); restore the file or delete it, then run "
                "`harness leaderboard rebuild`"
            ) from None


_KEYS: dict[str, Any] = {name: (field.annotation, field) for name, field in Entry.model_fields.items()}
_FIELDS = create_model("_FIELDS", __base__=_Record, **_KEYS)
"""The same keys without a look at each text, for which a board of many entries would wait."""


def row_name(author: str, submission: str) -> str:
    """``author/submission``, or ``submission`` where no author was given."""
    return f"{author}/{submission}" if author else submission


def networks_of(training: dict[str, Any], recipe: dict[str, Any] | None) -> list[dict[str, Any]]:
    """What version 0.1 kept of a training, as `Entry.networks`."""
    networks = training.get("networks", [{"recipe": recipe} | training] if training else [])
    return networks if isinstance(networks, list) else []


def strata_of(scorecard: Scorecard) -> dict[str, Stratum]:
    """A scorecard in the form in which an entry keeps it."""
    return {name: _stratum(stratum) for name, stratum in scorecard.strata.items()}


def _stratum(stratum: StratumScore) -> Stratum:
    return Stratum(
        images=stratum.images,
        points=stratum.points,
        subjects=stratum.subjects,
        scores=dict(stratum.metrics),
        groups=dict(stratum.groups),
        keypoints=dict(stratum.keypoints),
    )
