"""Recipe: how the harness trains a submission, as plain values. Imports neither torch nor numpy."""

from __future__ import annotations

import difflib
import math
import reprlib
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from harness.errors import RecipeError
from harness.learning.schedules import LR_SCHEDULES, MOMENTUM_SCHEDULES

LOSSES = ("l1", "mse", "smooth_l1", "wing", "euclidean")
OWN_LOSS = "own"
"""The function ``loss`` that a submission writes beside ``build_model``."""
PARTIAL_LABELS = ("mask", "drop", "separate")
PRECISIONS = ("auto", "float32", "bfloat16")
IMAGE_EDITS = ("flip", "rotation", "scale", "shift", "brightness", "contrast", "gamma", "noise", "blur", "occlusion")
"""The fields that a submission's own augmentation pipeline replaces."""


@dataclass(frozen=True)
class _Number:
    """A field that holds a number from ``low`` to ``high``."""

    low: float
    high: float
    whole: bool = False

    def __str__(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        return (
            f"{kind} from {self.low:g} to {self.high:g}" if self.high < math.inf else f"{kind} of at least {self.low:g}"
        )

    def allows(self, value: object) -> bool:
        number = isinstance(value, int if self.whole else (int, float)) and not isinstance(value, bool)
        # Infinity, and whole numbers too large for a float, are not allowed.
        return number and self.low <= value <= min(self.high, sys.float_info.max)  # type: ignore[operator]


@dataclass(frozen=True)
class _Choice:
    """A field that holds one of a few words."""

    words: tuple[str, ...]

    def __str__(self) -> str:
        return "one of " + ", ".join(f'"{word}"' for word in self.words)

    def allows(self, value: object) -> bool:
        return value in self.words


@dataclass(frozen=True)
class _Switch:
    """A field that is true or false."""

    def __str__(self) -> str:
        return "true or false"

    def allows(self, value: object) -> bool:
        return isinstance(value, bool)


@dataclass(frozen=True)
class _Word:
    """A field that holds any name; its user knows which exist."""

    def __str__(self) -> str:
        return "a name"

    def allows(self, value: object) -> bool:
        return isinstance(value, str) and value != ""


@dataclass(frozen=True)
class _Weights:
    """A field that holds a mapping of names to numbers; its user knows which names exist."""

    def __str__(self) -> str:
        return "a mapping of keypoint or group names to numbers from 0 to 1000"

    def allows(self, value: object) -> bool:
        number = _Number(0, 1000)
        return isinstance(value, Mapping) and all(
            isinstance(name, str) and number.allows(weight) for name, weight in value.items()
        )


def _field(default: object, allowed: object, off: object = None) -> Any:
    """A field, what it may hold, and the value that switches its trick off, if it is a trick."""
    return field(default=default, metadata={"allowed": allowed, "off": off})


def _number(default: float, low: float, high: float = math.inf, off: float | None = None) -> Any:
    return _field(default, _Number(low, high), off)


def _whole(default: int, low: float, high: float = math.inf, off: int | None = None) -> Any:
    return _field(default, _Number(low, high, whole=True), off)


def _choice(default: str, words: Iterable[str], off: str | None = None) -> Any:
    return _field(default, _Choice(tuple(words)), off)


def _switch(default: bool, off: bool | None = None) -> Any:
    return _field(default, _Switch(), off)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to train: every field is one trick, and every trick has a value that switches it off.

    Attributes:
        epochs: times that every training row is seen.
        batch_size: rows a step.
        optimizer: "adamw", "sgd", "nesterov", "adam", "rmsprop", or any name that ``timm.optim`` knows.
        lr: learning rate; where the schedule starts (one-cycle: its peak).
        lr_schedule: "constant" (off), "linear", "cosine", "flat-cosine", "one-cycle" or "plateau".
        lr_end: learning rate at the end of the schedule; the lowest that a plateau leads to.
        plateau_patience: epochs without a lower error after which a "plateau" schedule lowers the learning rate. The
            error is that on the validation rows or, if none are kept, on the training rows.
        plateau_factor: what the learning rate is multiplied by then.
        warmup: share of the run in which the learning rate rises from 0; 0 is off.
        momentum: SGD's momentum or Adam's beta1; 0 is off.
        momentum_schedule: "constant" (off), "linear", or "one-cycle" (to ``momentum_end`` and back).
        momentum_end: momentum at the end of the schedule.
        weight_decay: on weights, not on biases and norms; 0 is off.
        loss: "l1", "mse", "smooth_l1", "wing" or "euclidean"; "mse" is the plain one. Where a submission writes a
            function ``loss(points, targets)``, it is "own".
        keypoint_weights: weight of keypoints in the loss by their names, or by those of groups of the layout:
            ``{"mouth": 2, "nose_tip": 0.5}``. A keypoint's own name counts before its group's, the others weigh 1;
            {} is off.
        own_augment: use the submission's ``augment``, if it has one, instead of the image edits that follow.
        flip: share of images that are mirrored; 0 is off.
        rotation: largest turn in degrees; 0 is off.
        scale: largest change of size, as a share; 0 is off.
        shift: largest move along each axis in pixels; 0 is off.
        brightness: largest amount added to the grey value, as a share of white; 0 is off.
        contrast: largest change of the distance from middle grey, as a share; 0 is off.
        gamma: largest exponent is 1 + gamma, the smallest its inverse; 0 is off.
        noise: largest standard deviation of added noise, as a share of white; 0 is off.
        blur: largest standard deviation of the blur in pixels; 0 is off.
        occlusion: share of images in which a grey box covers part of the face; 0 is off.
        shape_loss: weight of the regulariser on the shape of heatmaps or coordinate bins; 0 is off.
        shape_width: standard deviation in pixels of the Gaussian that it asks for.
        partial_labels: "mask" learns from the keypoints that a row has; "drop" leaves incomplete rows out; "separate"
            gives rows that lack most keypoints outputs of their own, since another source may have labelled them.
        ema: decay of the moving average of the weights, which is what predicts; 0 is off.
        flip_test: average the prediction with that of the mirrored image.
        recentre: subtract each keypoint's mean error over the training rows. Trained on mirrored images, a network
            cannot learn that labels lie off to one side.
        early_stopping: epochs without a better validation error before training ends; 0 is off.
        validation: share of training rows, by whole subjects, kept for the validation error; 0 is off.
        precision: "auto" (bfloat16 where it is faster), "float32" (off) or "bfloat16".
        seed: of every random number.

    Raises:
        RecipeError: a field is unknown or its value impossible.
    """

    epochs: int = _whole(60, 1)
    batch_size: int = _whole(64, 1)
    optimizer: str = _field("adamw", _Word())
    lr: float = _number(4e-3, 0)
    lr_schedule: str = _choice("cosine", LR_SCHEDULES, off="constant")
    lr_end: float = _number(0.0, 0)
    plateau_patience: int = _whole(5, 1)
    plateau_factor: float = _number(0.5, 0, 1)
    warmup: float = _number(0.05, 0, 0.9, off=0)
    momentum: float = _number(0.9, 0, 0.9999, off=0)
    momentum_schedule: str = _choice("constant", MOMENTUM_SCHEDULES, off="constant")
    momentum_end: float = _number(0.999, 0, 0.9999)
    weight_decay: float = _number(0.01, 0, off=0)
    loss: str = _choice("l1", (*LOSSES, OWN_LOSS), off="mse")
    keypoint_weights: Mapping[str, float] = field(
        default_factory=dict, hash=False, metadata={"allowed": _Weights(), "off": {}}
    )
    own_augment: bool = _switch(True)
    flip: float = _number(0.5, 0, 1, off=0)
    rotation: float = _number(10.0, 0, 180, off=0)
    scale: float = _number(0.1, 0, 0.9, off=0)
    shift: float = _number(4.0, 0, off=0)
    brightness: float = _number(0.1, 0, 1, off=0)
    contrast: float = _number(0.2, 0, 1, off=0)
    gamma: float = _number(0.0, 0, 4, off=0)
    noise: float = _number(0.0, 0, 1, off=0)
    blur: float = _number(0.0, 0, 10, off=0)
    occlusion: float = _number(0.0, 0, 1, off=0)
    shape_loss: float = _number(0.0, 0, off=0)
    shape_width: float = _number(2.0, 0.1)
    partial_labels: str = _choice("mask", PARTIAL_LABELS, off="drop")
    ema: float = _number(0.99, 0, 0.99999, off=0)
    flip_test: bool = _switch(True, off=False)
    recentre: bool = _switch(False, off=False)
    early_stopping: int = _whole(0, 0, off=0)
    validation: float = _number(0.0, 0, 0.9)
    precision: str = _choice("auto", PRECISIONS)
    seed: int = _whole(0, 0, 2**32 - 1)

    def __new__(cls, **values: object) -> Recipe:
        """Check the names before ``__init__`` does, whose TypeError would not suggest a field."""
        known = [each.name for each in fields(cls)]
        for name in values:
            if name not in known:
                close = difflib.get_close_matches(str(name), known, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"the fields are {', '.join(known)}"
                raise RecipeError(f"a recipe has no field {name!r}; {hint}")
        return super().__new__(cls)

    def __post_init__(self) -> None:
        for each in fields(self):
            self.check_field(each.name, getattr(self, each.name))
        object.__setattr__(self, "keypoint_weights", dict(self.keypoint_weights))
        if self.early_stopping > 0 and self.validation == 0:
            raise RecipeError(
                f"recipe field early_stopping is {self.early_stopping} but validation is 0; "
                "keep a share of the rows for validation, such as validation=0.1"
            )

    @classmethod
    def check_field(cls, name: str, value: object) -> None:
        """Make sure that a field may hold a value.

        Raises:
            RecipeError: it may not.
        """
        allowed = cls.__dataclass_fields__[name].metadata["allowed"]
        if not allowed.allows(value):
            raise RecipeError(f"recipe field {name} is {reprlib.repr(value)}; it must be {allowed}")

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Recipe:
        """Make a recipe of plain values such as a parsed JSON object; fields that are not given keep their default.

        Raises:
            RecipeError: it is not a mapping, a field is unknown or its value impossible.
        """
        if not isinstance(values, Mapping):
            raise RecipeError(f"a recipe must be a mapping of field to value, not {type(values).__name__}")
        return cls(**values)

    def with_changes(self, **changes: Any) -> Recipe:
        """The same recipe with some fields changed, checked again."""
        return replace(self, **changes)

    def tricks(self) -> dict[str, dict[str, Any]]:
        """The tricks that are on, each with the change that switches it off: ``{"flip=0": {"flip": 0}, ...}``.

        How the error is measured (validation) and how fast training is (precision) are not tricks.
        """
        off = {each.name: each.metadata["off"] for each in fields(self)}
        return {
            f"{name}={value}": {name: value}
            for name, value in off.items()
            if value is not None and getattr(self, name) != value
        }

    def as_dict(self) -> dict[str, Any]:
        """Every field with its value, ready for JSON."""
        return asdict(self)
