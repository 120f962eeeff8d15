"""The card: a TOML file that declares a benchmark, read into a validated `Benchmark`."""

from __future__ import annotations

import difflib
import hashlib
import reprlib
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from harness.card_values import (
    MOST_FACES,
    MOST_SEEDS,
    Duration,
    Seed,
    Side,
    Size,
    Table,
    count,
    layout,
    metric,
    naming,
    pair,
)
from harness.data_tables import FILE_READERS, KaggleData, PictureData
from harness.errors import CardError
from harness.files import read_regular
from harness.keypoints import FACE15, IBUG68, KeypointLayout
from harness.metrics import METRICS
from harness.places import cards, shipped
from harness.points import A_POINT_A_BAND, Mark, Points
from harness.text import first_line

_LONGEST = 2**18
"""Bytes of a card."""


class RenderedData(Table):
    """Faces drawn by the harness.

    Attributes:
        training, held_out: how many faces.
        seed: draws the training faces.
        held_out_seed: draws the held-out faces for practice; where HARNESS_SECRET_SEED is set, it stands in for this.
        fully_labelled: share of the training faces with every keypoint; the rest have a few, as Kaggle's have four.
    """

    reader: Literal["rendered"]
    training: Annotated[PositiveInt, Field(le=MOST_FACES)]
    held_out: Annotated[PositiveInt, BeforeValidator(count), Field(le=MOST_FACES)]
    seed: Seed
    held_out_seed: Seed
    fully_labelled: Annotated[float, Field(gt=0, le=1)]

    @field_validator("held_out_seed")
    @classmethod
    def _draws_others(cls, seed: int, info: ValidationInfo) -> int:
        if seed == info.data.get("seed"):
            raise ValueError("should differ from 'seed', or the held-out faces are those that are learnt from")
        return seed


class Bands(Table):
    """The worst value of the card's metric that still earns each band."""

    ok: NonNegativeFloat
    very_good: NonNegativeFloat
    outstanding: NonNegativeFloat


BANDS = tuple(Bands.model_fields)
"""Band names, from the easiest to the hardest."""


def band_in_words(band: str | None) -> str:
    """A band, or that none was earned, as readers see it."""
    return (band or "below ok").replace("_", " ")


class CardLimits(Table):
    """What one submission may use, unless the command line says otherwise: seconds and bytes."""

    time: Duration
    memory: Size


class SubmissionRules(Table):
    """What may be handed in.

    Attributes:
        weights: of what loads weights trained elsewhere: ``marked``, it is graded and its entry says so; ``refused``.
        max_size: bytes of code and weights together; None is no limit.
        best_on_strangers: the least held-out error, in pixels of the card's metric, that a submission trained here has
            reached. Brought weights are checked by it; None where nobody has measured it.
        held_out_images: when it gets them: ``after`` training, or ``during``, so that it may learn from them too.
    """

    weights: Literal["marked", "refused"] = "marked"
    max_size: Size | None = None
    best_on_strangers: PositiveFloat | None = None
    held_out_images: Literal["after", "during"] = "after"


class Benchmark(Table):
    """A task with data, split, metric, bands and limits.

    Attributes:
        name: also the name of its board and of its folder in ``data/``.
        title: one line for the reader.
        layout: which keypoints; a card names a built-in layout or spells one out.
        image_size: (height, width) in pixels.
        metric: what ranks and bands; the name of one of `harness.metrics`.
        names: how authors are called where its board is shown: ``authors``, ``pseudonyms``, or ``top N``: the N best
            by their names, the others by pseudonyms.
        seeds: how often each submission is trained, with another seed each time; the mean counts.
        points: what a score is worth in a grade book; where the card says nothing, a point a band.
        data, bands, limits, submission: see their classes.
        show_faces: whether reports may show held-out faces that were read from files. Rendered ones for practice are
            always shown, secret ones never.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    title: str
    layout: Annotated[KeypointLayout, BeforeValidator(layout)]
    image_size: Annotated[tuple[Side, Side], BeforeValidator(pair)]
    metric: Annotated[str, AfterValidator(metric)]
    data: Annotated[KaggleData | PictureData | RenderedData, Field(discriminator="reader")]
    bands: Bands
    limits: CardLimits
    seeds: Annotated[PositiveInt, Field(le=MOST_SEEDS)] = 1
    names: Annotated[str, AfterValidator(naming)] = "authors"
    submission: SubmissionRules = SubmissionRules()
    points: Annotated[Points, Field(discriminator="by")] = A_POINT_A_BAND
    show_faces: bool = False
    _card: bytes = PrivateAttr(b"")

    @field_validator("data")
    @classmethod
    def _can_be_drawn(
        cls, data: KaggleData | PictureData | RenderedData, info: ValidationInfo
    ) -> KaggleData | PictureData | RenderedData:
        layout = info.data.get("layout")
        if isinstance(data, RenderedData) and layout and layout.keypoints not in (FACE15.keypoints, IBUG68.keypoints):
            raise ValueError(
                f'reader = "rendered" draws the keypoints of layouts "face15" and "ibug68", and the card\'s layout '
                f'{layout.name!r} has others; say layout = "face15" or "ibug68", or reader = "kaggle" for files of '
                "your own"
            )
        return data

    @property
    def fingerprint(self) -> str:
        """sha256 of the card's file."""
        return hashlib.sha256(self._card).hexdigest()

    @property
    def replaces_shipped(self) -> bool:
        """Whether it stands in for another card of its name, which came with the harness."""
        card = shipped("data") / self.name / "benchmark.toml"
        return card.is_file() and card.read_bytes() != self._card

    @property
    def held_out_file(self) -> Path | None:
        """The file of held-out faces that the card names, if it names one."""
        file = self.data.held_out
        if not isinstance(file, Path) or (isinstance(self.data, PictureData) and not file.is_absolute()):
            return None  # of pictures, it is in the folder of the data
        return file

    @field_validator("bands")
    @classmethod
    def _in_order(cls, bands: Bands, info: ValidationInfo) -> Bands:
        metric = METRICS.get(info.data.get("metric", ""))
        if metric is None:
            return bands  # a wrong metric is reported by its own key
        places = [metric.place(edge) for edge in (bands.outstanding, bands.very_good, bands.ok)]
        if not places[0] < places[1] < places[2]:
            way = "smaller" if metric.better == "lower" else "larger"
            raise ValueError(
                f"the bands are out of order (ok {bands.ok}, very_good {bands.very_good}, outstanding "
                f"{bands.outstanding}); of {metric.title} {metric.better} is better, so each must be {way} than the "
                "one before"
            )
        return bands

    @field_validator("points")
    @classmethod
    def _rise(cls, points: Points, info: ValidationInfo) -> Points:
        if metric := METRICS.get(info.data.get("metric", "")):
            points.check(metric)
        return points

    def marks(self, value: float | None) -> list[Mark]:
        """What a value of the card's metric is worth in a grade book; None stands for a submission that failed."""
        return self.points.marks(value, METRICS[self.metric], {band: getattr(self.bands, band) for band in BANDS})

    def reaches(self, value: float, band: str) -> bool:
        """Whether a value of the card's metric earns a band."""
        return METRICS[self.metric].reaches(value, getattr(self.bands, band))

    def best_band(self, value: float) -> str | None:
        """The best band that a value of the card's metric earns, or None when it earns none."""
        return next((band for band in reversed(BANDS) if self.reaches(value, band)), None)


def load_benchmark(name_or_card: str | Path) -> Benchmark:
    """The benchmark of this name, or of the card at this path.

    Raises:
        CardError: no such card, or it is not valid; the message names file, key and remedy.
    """
    path = _find(str(name_or_card))
    try:
        content = read_regular(path, _LONGEST)
        table = tomllib.loads(content.decode())
    except OSError as error:
        raise CardError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # bytes that are not text and numbers without end too
        raise CardError(f"{path}: cannot be read as TOML: {first_line(str(error))[:200]}") from error
    try:
        benchmark = Benchmark.model_validate(table, context=path.parent)
    except ValidationError as invalid:
        problems = "; ".join(_explain(problem) for problem in invalid.errors())
        raise CardError(f"{path}: {problems}") from None
    benchmark._card = content
    return benchmark


def _find(name_or_card: str) -> Path:
    path = Path(name_or_card)
    if path.is_dir():
        path /= "benchmark.toml"
    if path.suffix == ".toml":
        if not path.is_file():
            raise CardError(f"{path}: there is no such card; name a benchmark ({', '.join(cards())}) or a TOML file")
        return path
    known = cards()
    if name_or_card not in known:
        near = difflib.get_close_matches(name_or_card, known, n=1)
        raise CardError(
            f"there is no benchmark {name_or_card!r}"
            + (f"; did you mean {near[0]!r}?" if near else "")
            + f" Known: {', '.join(known)}; your own goes to data/NAME/benchmark.toml"
        )
    return known[name_or_card]


_UNIONS = {
    "data": f"'data.reader' must be one of {', '.join(map(repr, (*FILE_READERS, 'rendered')))}",
    "points": "'points.by' must be 'bands', 'line' or 'baselines'",
}


def _explain(problem: Any) -> str:
    # In the location of a union's keys pydantic includes the discriminator, which is not part of the key on the card.
    table, *keys = problem["loc"]
    key = ".".join(map(str, [table, *keys[table in _UNIONS :]]))
    if problem["type"] == "missing":
        return f"key {key!r} is missing; add it"
    if problem["type"] == "extra_forbidden":
        return f"unknown key {key!r}; correct its spelling or take it out"
    if problem["type"].startswith("union_tag"):
        return f"key {_UNIONS[table]}"
    message = problem["msg"].removeprefix("Value error, ")
    return f"key {key!r}: {message}" + (
        f" (it is {reprlib.repr(problem['input'])})" if not isinstance(problem["input"], dict) else ""
    )
