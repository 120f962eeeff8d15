"""The report of a grading: one HTML file that needs nothing else, and the same as Markdown.

    graded, split, card -> Report (figures and drawings) -> templates/report.html.jinja, templates/report.md.jinja

It is for whoever handed in: it shows no held-out face, unless the faces are for practice or the card says that they may
be shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from harness.benchmark import BANDS, Benchmark, band_in_words
from harness.datasets.faces import Split
from harness.estimates import Estimate
from harness.grading.entry import Entry, Stratum
from harness.grading.scoring import pixel_distances
from harness.metrics import METRICS
from harness.reporting.circumstances import circumstances
from harness.reporting.drawing import Mark, Series, chart
from harness.reporting.face_drawing import error_map, face, mean_face
from harness.reporting.failing import Cause, where_it_fails
from harness.reporting.learning_curves import Network, drawn, networks_of
from harness.reporting.pages import as_html, as_markdown
from harness.reporting.questions import Material, Question, questions
from harness.reporting.tricks import Ablation, Change, changes, find_ablation, switches

_THRESHOLDS = (0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
_SHOWN = 4
"""Faces of each kind: best, middling and worst."""


@dataclass(frozen=True)
class Step:
    """A band of the card: its name, the value that earns it, and whether it was reached."""

    name: str
    edge: str
    reached: bool


@dataclass(frozen=True)
class Report:
    """Everything that the templates show of a grading.

    Args:
        entry: the record.
        benchmark, split: what it was graded on.
        predictions: float32 (N, K, 2) for the held-out faces; None where there are none.
        ablation: what `harness ablate` measured, where it was run.
    """

    entry: Entry
    benchmark: Benchmark
    split: Split
    predictions: NDArray[np.float32] | None
    ablation: Ablation | None = None

    @property
    def is_graded(self) -> bool:
        """Whether there is a score."""
        return self.entry.status == "graded" and self.predictions is not None

    @property
    def band(self) -> str:
        """The band in words."""
        return band_in_words(self.entry.band)

    @property
    def ranking(self) -> tuple[str, Estimate, str]:
        """Title, estimate and unit of what ranks."""
        metric = METRICS[self.benchmark.metric]
        return metric.title, self.entry.scores[metric.name], metric.unit

    @property
    def scores(self) -> list[tuple[str, Estimate, str]]:
        """Title, estimate and unit of every metric that was measured."""
        return [
            (each.title, self.entry.scores[name], each.unit)
            for name, each in METRICS.items()
            if name in self.entry.scores
        ]

    @property
    def ladder(self) -> list[Step]:
        """The bands of the card, from the easiest."""
        value = self.entry.scores[self.benchmark.metric].value
        metric = METRICS[self.benchmark.metric]
        return [
            Step(
                band_in_words(band),
                metric.number(edge := getattr(self.benchmark.bands, band)),
                metric.reaches(value, edge),
            )
            for band in BANDS
        ]

    @property
    def next_step(self) -> str:
        """How far the next band is."""
        metric, value = METRICS[self.benchmark.metric], self.entry.scores[self.benchmark.metric].value
        left = [step for step in self.ladder if not step.reached]
        if not left:
            return "The best band is reached."
        away = abs(value - getattr(self.benchmark.bands, left[0].name.replace(" ", "_")))
        way = "less" if metric.better == "lower" else "more"
        unit = f" {metric.unit}" if metric.unit else ""
        return f"The band “{left[0].name}” needs {left[0].edge}{unit}, {metric.number(away)}{unit} {way}."

    @property
    def headline(self) -> Stratum:
        """The stratum that ranks."""
        return next(iter(self.entry.strata.values()))

    @cached_property
    def networks(self) -> list[Network]:
        """What the submission said of its networks."""
        return networks_of(self.entry)

    @property
    def recipes(self) -> list[tuple[str, list[Change], list[str], list[str]]]:
        """Of each recipe: whose it is, its changes against the default, the tricks that are on, those that are off."""
        found: dict[str, tuple[list[int], Mapping[str, object]]] = {}
        for number, network in enumerate(self.networks, start=1):
            recipe = {name: value for name, value in network.facts.recipe.items() if name != "seed"}
            found.setdefault(repr(sorted(recipe.items())), ([], recipe))[0].append(number)
        alone = len(found) == 1
        return [
            ("" if alone else f"Networks {', '.join(map(str, numbers))}", changes(recipe), *switches(recipe))
            for numbers, recipe in found.values()
            if recipe
        ]

    @cached_property
    def curves(self) -> Markup | None:
        """The learning curves."""
        return drawn(self.networks)

    @property
    def gap_in_words(self) -> str:
        """How the error on held-out faces compares with that on training faces; empty where that is not known."""
        gap = self.entry.gap
        if gap is None:
            return ""
        sizes = f"{abs(gap.value):.2f} px {'larger' if gap.value > 0 else 'smaller'}"
        return (
            f"On held-out faces the error is {sizes} than on a sample of the training faces (95 % interval of the "
            f"difference: {gap.low:.2f} to {gap.high:.2f} px)."
        )

    @cached_property
    def error_map(self) -> Markup:
        """The error of each keypoint on the mean training face."""
        image, places = mean_face(self.split.training)
        errors = {name: score.value for name, score in self.headline.keypoints.items()}
        hardest = max(errors, key=lambda name: errors[name]).replace("_", " ")
        return error_map(
            "keypoints",
            "Error of each keypoint on the mean training face",
            f"A circle at each keypoint, as large as the mean error there. The largest is at the {hardest}, with "
            f"{max(errors.values()):.2f} px, the smallest is {min(errors.values()):.2f} px. The table has all.",
            image,
            places,
            self.split.held_out.layout,
            errors,
        )

    @cached_property
    def _distances(self) -> NDArray[np.float64]:
        """Of the headline's faces (N, K), in pixels; NaN where not labelled."""
        assert self.predictions is not None
        rows = next(iter(self.split.strata.values()))
        return pixel_distances(self.predictions[rows], self.split.held_out.keypoints[rows])

    @property
    def within(self) -> list[tuple[str, float, float]]:
        """For each threshold: the share of points, and of faces by their mean error, that lie within it."""
        points = self._distances[~np.isnan(self._distances)]
        faces = np.nanmean(self._distances, axis=1)
        return [(f"{most:g}", float((points <= most).mean()), float((faces <= most).mean())) for most in _THRESHOLDS]

    @cached_property
    def cumulative(self) -> Markup:
        """The cumulative distribution of the error, of points and of faces."""
        points = self._distances[~np.isnan(self._distances)]
        faces = np.nanmean(self._distances, axis=1)
        end = max(float(np.quantile(points, 0.98)), 0.1)
        half, most = (float(np.quantile(points, share)) for share in (0.5, 0.95))
        return chart(
            "cumulative",
            "Cumulative distribution of the error",
            f"Half of all points lie within {half:.2f} px, and 95 % of them within {most:.2f} px.",
            [Series("points", _cumulative(points, end), 0), Series("faces", _cumulative(faces, end), 1)],
            x_label="error in pixels",
            y_label="share within it",
            marks=[Mark(half, f"half: {half:.2f}"), Mark(most, f"95 %: {most:.2f}")],
            y_from=0.0,
            y_to=1.0,
            percent=True,
        )

    @cached_property
    def causes(self) -> list[Cause]:
        """Where it fails, those causes first that make the largest difference."""
        return where_it_fails(self.predictions, self.split, self.benchmark) if self.predictions is not None else []

    @property
    def faces(self) -> dict[str, list[tuple[float, Markup]]]:
        """Best, middling and worst held-out faces, each with its error and a drawing, where they may be shown."""
        practice = self.split.origin == "practice"
        allowed = self.benchmark.show_faces and self.split.origin == "files"
        if self.predictions is None or not (practice or allowed):
            return {}
        rows = np.flatnonzero(next(iter(self.split.strata.values())))
        errors = np.nanmean(self._distances, axis=1)
        order, middle = np.argsort(errors), max(0, len(errors) // 2 - _SHOWN // 2)
        chosen = {"best": order[:_SHOWN], "middling": order[middle : middle + _SHOWN], "worst": order[::-1][:_SHOWN]}
        held_out = self.split.held_out
        return {
            kind: [
                (
                    float(errors[each]),
                    face(
                        f"{kind}-{number}",
                        f"{kind.capitalize()} face {number}: {errors[each]:.2f} px",
                        held_out.images[rows[each]],
                        held_out.keypoints[rows[each]],
                        self.predictions[rows[each]],
                    ),
                )
                for number, each in enumerate(positions, start=1)
            ]
            for kind, positions in chosen.items()
        }

    @property
    def questions(self) -> list[Question]:
        """What an examiner could ask."""
        layers = self.networks[0].facts.layers if self.networks else []
        return questions(Material(self.entry, self.causes, self.ablation, layers))

    @property
    def validated(self) -> bool:
        """Whether a validation error was reported in training."""
        return any(value is not None for network in self.networks for value in network.curve.get("validation_px", []))

    @property
    def html(self) -> str:
        """The page."""
        return as_html("report.html.jinja", report=self, entry=self.entry, circumstances=circumstances(self.entry))

    @property
    def markdown(self) -> str:
        """The same as text."""
        return as_markdown("report.md.jinja", report=self, entry=self.entry, circumstances=circumstances(self.entry))


def write_report(
    folder: Path, entry: Entry, predictions: NDArray[np.float32] | None, benchmark: Benchmark, split: Split
) -> Path:
    """Write ``report.html`` and ``report.md`` into a folder; returns the page.

    Raises:
        OSError: one of them cannot be written.
    """
    report = Report(entry, benchmark, split, predictions, find_ablation(entry))
    page = folder / "report.html"
    page.write_text(report.html, encoding="utf-8")
    (folder / "report.md").write_text(report.markdown, encoding="utf-8")
    return page


def _cumulative(values: NDArray[np.float64], end: float, steps: int = 80) -> list[tuple[float, float | None]]:
    """(error, share of the values within it), up to ``end``."""
    ordered = np.sort(values)
    errors = np.linspace(0, end, steps)
    shares = np.searchsorted(ordered, errors, side="right") / len(ordered)
    return list(zip(errors.tolist(), shares.tolist(), strict=True))
