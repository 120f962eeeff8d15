"""Questions that an examiner could ask about a submission: rules make them from recipe, figures and ablation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from harness.estimates import Estimate
from harness.grading.entry import Entry
from harness.reporting.failing import Cause
from harness.reporting.tricks import Ablation, changes
from harness.runs.facts import LayerFacts

HOW_MANY = 3


@dataclass(frozen=True)
class Question:
    """A question, and the figures that it was made from."""

    text: str
    because: str


@dataclass(frozen=True)
class Material:
    """What questions are made from: a graded entry and what was found out about it."""

    entry: Entry
    causes: Sequence[Cause]
    ablation: Ablation | None
    layers: Sequence[LayerFacts]


def questions(material: Material) -> list[Question]:
    """The first three that the rules find, each about something else; none where nothing was graded."""
    if not material.entry.scores:
        return []
    found = [question for rule in _RULES for question in rule(material)]
    return found[:HOW_MANY]


def _brought(material: Material) -> Iterator[Question]:
    if material.entry.trained == "brought":
        yield Question(
            "Where do the weights or data that came with the code come from, and how do you know that they have not "
            "learnt from the held-out faces?",
            "it was not trained here alone",
        )


def _best_trick(material: Material) -> Iterator[Question]:
    tricks = material.ablation.tricks if material.ablation and material.ablation.fits else []
    helping = [(name, gain) for name, gain in tricks if gain.low > 0]
    if helping:
        name, gain = helping[0]
        field = name.partition("=")[0]
        yield Question(
            f"With {name} the error rises by {gain.value:.2f} px, more than with any other change. "
            + _WHY.get(field, "Why does what it replaces help this network?"),
            f"ablation: {_interval(gain)}",
        )


def _idle_trick(material: Material) -> Iterator[Question]:
    tricks = material.ablation.tricks if material.ablation and material.ablation.fits else []
    idle = [(name, gain) for name, gain in tricks if gain.low <= 0]
    if idle:
        name, gain = min(idle, key=lambda item: item[1].value)
        effect = "makes the error smaller" if gain.high < 0 else "makes no significant difference"
        yield Question(
            f"{name} {effect}. Why did you keep the trick that it switches off, and on which faces would you expect "
            "to see its effect?",
            f"ablation: {_interval(gain)}",
        )


def _own_choice(material: Material) -> Iterator[Question]:
    made = changes(material.entry.recipe or {})
    changed = {change.field: change for change in made if change.field not in material.entry.overrides}
    for field in (*_WHY, *changed):
        if field in changed:
            change = changed[field]
            yield Question(
                f"You set {field} to {change.value}; the default is {change.default}. What did you expect of that, and "
                f"how would you show that it helps? {_WHY.get(field, '')}".strip(),
                "the recipe against the default one",
            )
            return


def _fit(material: Material) -> Iterator[Question]:
    entry = material.entry
    held_out = entry.scores["mean_pixel_error"].value
    if entry.gap is not None and entry.gap.low > 0 and entry.gap.value > 0.15 * held_out:
        yield Question(
            f"The error on held-out faces is {entry.gap.value:.2f} px larger than on training faces. What is that "
            "called, and what would you change first: the network, the recipe or the data?",
            f"held-out less training faces: {_interval(entry.gap)}",
        )
    elif entry.gap is not None and entry.networks:
        yield Question(
            f"On training faces the error is hardly smaller than on held-out ones (by {entry.gap.value:.2f} px). What "
            "does that say of the network's size and of how long it was trained?",
            f"held-out less training faces: {_interval(entry.gap)}",
        )


def _layers(material: Material) -> Iterator[Question]:
    layers = {layer: layer.parameters for layer in material.layers if layer.parameters}
    if len(layers) > 1:
        largest, total = max(layers, key=lambda layer: layers[layer]), sum(layers.values())
        share = layers[largest] / total
        yield Question(
            f"{share:.0%} of the parameters lie in {largest.name or 'one place'}, {largest.kind}. What does it compute "
            "from what, and how could a network do the same with fewer?",
            f"{layers[largest]:,} of {total:,} parameters",
        )


def _cause(material: Material) -> Iterator[Question]:
    overall = material.entry.scores["mean_pixel_error"].value
    for cause in material.causes[:1]:
        if cause.worst.error.low > overall:
            yield Question(
                f"The error is {cause.worst.error.value:.2f} px on the faces of the group “{cause.worst.name}” "
                f"({cause.title.lower()}), {cause.ratio:.1f} times that of the best group. Why are they hard for this "
                "network, and what would you do about it?",
                f"{cause.worst.faces} faces, {cause.known}",
            )


def _keypoints(material: Material) -> Iterator[Question]:
    points = next(iter(material.entry.strata.values())).keypoints if material.entry.strata else {}
    if len(points) > 1:
        hardest, easiest = (pick(points, key=lambda name: points[name].value) for pick in (max, min))
        yield Question(
            f"Why is the error at the {_plain(hardest)} {points[hardest].value:.2f} px and at the {_plain(easiest)} "
            f"only {points[easiest].value:.2f} px: is it the network, or how exactly people can label these places?",
            "error of each keypoint",
        )


def _tail(material: Material) -> Iterator[Question]:
    scores = material.entry.scores
    if {"median", "percentile_95"} <= scores.keys():
        median, tail = scores["median"].value, scores["percentile_95"].value
        yield Question(
            f"Half of the points lie within {median:.2f} px, and one in twenty is more than {tail:.2f} px off. Which "
            "kind of error makes the mean large, and which loss cares about it most?",
            "median and 95th percentile of the error",
        )


def _measures(material: Material) -> Iterator[Question]:
    mean, rmse = (material.entry.scores.get(name) for name in ("mean_pixel_error", "rmse"))
    if mean and rmse:
        yield Question(
            f"The mean pixel error is {mean.value:.2f} px, the rmse {rmse.value:.2f} px. How is each computed, and "
            "what would make the rmse the larger of the two?",
            "both measures of this run",
        )


_RULES: tuple[Callable[[Material], Iterator[Question]], ...] = (
    _brought,
    _best_trick,
    _idle_trick,
    _own_choice,
    _cause,
    _layers,
    _fit,
    _keypoints,
    _tail,
    _measures,
)
"""In the order of what says most about this very code."""

_WHY = {
    "flip": "What has to happen to the labels of a mirrored face, and why?",
    "loss": "How does this loss weigh one large error against many small ones?",
    "partial_labels": "What can a network learn from a face that has four of fifteen labels?",
    "ema": "Why can the mean of past weights predict better than the last ones?",
    "flip_test": "Why is the mean of two views of one face better than either?",
    "lr_schedule": "Why should the learning rate change in the course of training?",
    "lr": "What happens in training if it is ten times as large, or as small?",
    "momentum": "What does momentum do where the loss is steep in one direction and flat in another?",
    "rotation": "What happens to the labels when a picture is turned?",
    "scale": "Why can a network that saw one size of face fail at another?",
    "shift": "Why is a convolutional network not safe from a shifted face by itself?",
    "occlusion": "What can a network know about a keypoint that is covered?",
    "weight_decay": "What does it do to the weights, and why can that help on new faces?",
    "epochs": "How can you tell that training was long enough, and not too long?",
    "batch_size": "What changes with the batch besides how fast training is?",
}
"""Field of a recipe -> what to ask about it, the most telling first."""


def _interval(estimate: Estimate) -> str:
    return f"{estimate.value:+.2f} px [{estimate.low:+.2f}, {estimate.high:+.2f}]"


def _plain(keypoint: str) -> str:
    return keypoint.replace("_", " ")
