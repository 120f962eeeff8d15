"""What training reports: how it stands after an epoch, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from harness.learning.reading import Reader


@dataclass(frozen=True)
class Progress:
    """How training stands after an epoch; as text, one line.

    Attributes:
        epoch: epochs done.
        epochs: epochs planned.
        error_px: mean pixel error over the epoch's augmented training images.
        validation_px: mean pixel error on the validation rows, if any are kept.
        images_per_second: of this epoch's training.
        seconds_left: forecast.
        threads: how many threads the CPU computed with; None on another device.
        network: which of several networks it is, from 0.
    """

    epoch: int
    epochs: int
    error_px: float
    validation_px: float | None
    images_per_second: float
    seconds_left: float
    threads: int | None = None
    network: int = 0

    def __str__(self) -> str:
        validation = "" if self.validation_px is None else f", validation {self.validation_px:.2f} px"
        minutes, seconds = divmod(round(self.seconds_left), 60)
        return (
            f"epoch {self.epoch}/{self.epochs}: error {self.error_px:.2f} px{validation}, "
            f"{self.images_per_second:.0f} images/s, {minutes}:{seconds:02d} left"
        )


@dataclass(frozen=True)
class Trained:
    """The result of a training.

    Attributes:
        model: in eval mode, with the averaged weights where the recipe asks for them.
        reader: reads what the model emits.
        rows: training rows that it learnt from.
        epochs: epochs done; the last may be incomplete.
        epochs_planned: what the recipe asked for.
        stopped_early: the validation error no longer fell.
        shortened: the time budget was too short for every epoch.
        images_per_second: over the whole training without its first step, which also sets up kernels.
        precision: "float32", or "bfloat16" where the forward pass used it.
        error_px: mean pixel error over the last epoch's augmented training images.
        validation_px: mean pixel error of the kept weights on the validation rows, if any.
        notes: what its author should know, a sentence each.
    """

    model: nn.Module
    reader: Reader
    rows: int
    epochs: int
    epochs_planned: int
    stopped_early: bool
    shortened: bool
    images_per_second: float
    precision: str
    error_px: float
    validation_px: float | None
    notes: list[str]
