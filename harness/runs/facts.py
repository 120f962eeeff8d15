"""Facts: what a worker says of itself, in one bounded form; for display and planning only, since it may be untrue."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from harness.submission.notes import LONGEST_NOTE, MOST_NOTES

_LONGEST = 200
_MOST = 100
_DEEPEST = 4
_CPU = re.compile(r"|cpu( \(\d{1,4} threads?\))?")

Text = Annotated[str, Field(max_length=_LONGEST)]
Note = Annotated[str, Field(max_length=LONGEST_NOTE)]
Count = Annotated[int, Field(ge=0, le=10**15)]
Figure = Annotated[float, Field(ge=-1e9, le=1e9)]


def _plain(value: Any) -> Any:
    """Numbers, texts, true, false, none, and not too many of them, however they are nested."""
    if not is_plain(value):
        raise ValueError("should be plain values, and few of them")
    return value


def is_plain(value: object, depth: int = _DEEPEST) -> bool:
    """Whether a value is made of a bounded number of numbers, short texts, true, false and none."""
    if isinstance(value, dict):
        keys = all(isinstance(key, str) and len(key) <= _LONGEST for key in value)
        return keys and is_plain(list(value.values()), depth)
    if isinstance(value, list):
        return depth > 0 and len(value) <= _MOST and all(is_plain(each, depth - 1) for each in value)
    if isinstance(value, str):
        return len(value) <= _LONGEST
    return value is None or isinstance(value, bool | int | float)


Values = Annotated[dict[str, Any], BeforeValidator(_plain)]


class _Told(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class LayerFacts(_Told):
    """A layer of a network, or a block of them.

    Attributes:
        name: in the model.
        kind: what it is.
        shape: of what it gives for one image.
        parameters: how many it has.
    """

    name: Text = ""
    kind: Text = ""
    shape: Text = ""
    parameters: Count | None = None


class NetworkFacts(_Told):
    """One network of a submission: how it is to be trained and, once it is, how that went.

    Attributes:
        recipe: every field of its recipe.
        layers: of what it is built, once it is; empty where another network of the submission is built alike.
        rows: training rows that it sees in an epoch.
        epochs, epochs_planned: done, and asked for by the recipe.
        stopped_early, shortened: whether the validation error or the time limit ended training.
        images_per_second: of its training.
        precision: "float32" or "bfloat16".
        error_px, validation_px: mean pixel error over the last epoch's training images and on the validation rows.
    """

    recipe: Values = Field(default_factory=dict)
    layers: list[LayerFacts] = Field(default_factory=list, max_length=_MOST)
    rows: Count | None = None
    epochs: Count | None = None
    epochs_planned: Count | None = None
    stopped_early: bool = False
    shortened: bool = False
    images_per_second: Figure | None = None
    precision: Text | None = None
    error_px: Figure | None = None
    validation_px: Figure | None = None

    @property
    def trained(self) -> bool:
        """Whether it was trained, as far as it says."""
        return self.epochs is not None


class Facts(_Told):
    """What a worker says of itself; the same form for a network, an ensemble and a blend.

    Attributes:
        device: such as "cpu (2 threads)".
        threads: how many it computed with; "2, then 1" where that changed.
        seed: of the submission, or of the first of its networks.
        parameters: of all its networks together.
        weights_loaded: whether it loaded weights instead of training, or one of its networks did.
        can_save_weights: whether what it learns can be written as one safetensors file.
        not_applied: names of changes from outside that it cannot apply.
        notes: what its author should know, a sentence each: how its outputs are read, and warnings that it caused.
        networks: those that it trains, in order; none for an estimator of its own.
        variants: trick -> changes, to be measured one by one.
        changes: what its search space made of the values that a tuner chose.
        space: every name that its search space asks for, with its distribution as Optuna writes it.
    """

    device: Text = ""
    threads: Text = ""
    seed: Count | None = None
    parameters: Count | None = None
    weights_loaded: bool = False
    can_save_weights: bool = False
    not_applied: list[Text] = Field(default_factory=list, max_length=_MOST)
    notes: list[Note] = Field(default_factory=list, max_length=MOST_NOTES)
    networks: list[NetworkFacts] = Field(default_factory=list, max_length=_MOST)
    variants: Values | None = None
    changes: Values | None = None
    space: Values | None = None

    def updated(self, message: dict[str, Any]) -> Facts:
        """These facts with those of a message added; an invalid value is ignored."""
        known = self
        for name in type(self).model_fields.keys() & message.keys():
            try:
                one = type(self).model_validate({name: message[name]})
            except (ValidationError, RecursionError):
                continue
            known = known.model_copy(update={name: getattr(one, name)})
        return known

    def without_gpu(self) -> Facts:
        """These facts as they can be where the worker was given no GPU."""
        return self if _CPU.fullmatch(self.device) else self.model_copy(update={"device": "cpu"})

    @property
    def recipe(self) -> dict[str, Any] | None:
        """The recipe of the only network; None where there are several or none."""
        return self.networks[0].recipe if len(self.networks) == 1 else None
