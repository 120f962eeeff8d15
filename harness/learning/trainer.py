"""The trainer: data on the device, no loader, and a plan that keeps to its time budget."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from harness.errors import ContractError, TrainingError
from harness.keypoints import KeypointLayout
from harness.learning.augment import Augment, as_pictures
from harness.learning.average import Average
from harness.learning.codecs import Codec
from harness.learning.devices import has_fast_bfloat16, keep_freed_memory
from harness.learning.optimizers import make_optimizer, set_lr_and_momentum, take_step
from harness.learning.outputs import check_outputs, points_and_loss, summed_distance
from harness.learning.plan import Plan, batches
from harness.learning.recipe import Recipe
from harness.learning.schedules import lr_at, momentum_at
from harness.learning.threads import Step, Threads
from harness.learning.validation import BestWeights, Rows, mean_error, validation_rows

EXPLODED = 100
"""Training has diverged if the mean error is this many image sides, or shifts, even if the loss is still finite."""


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
        rows: training rows that it learnt from.
        epochs: epochs done; the last may be incomplete.
        epochs_planned: what the recipe asked for.
        stopped_early: the validation error no longer fell.
        shortened: the time budget was too short for every epoch.
        images_per_second: over the whole training without its first step, which also sets up kernels.
        precision: "float32", or "bfloat16" where the forward pass used it.
        error_px: mean pixel error over the last epoch's augmented training images.
        validation_px: mean pixel error of the kept weights on the validation rows, if any.
    """

    model: nn.Module
    rows: int
    epochs: int
    epochs_planned: int
    stopped_early: bool
    shortened: bool
    images_per_second: float
    precision: str
    error_px: float
    validation_px: float | None


def train(
    model: nn.Module,
    images: NDArray[np.uint8],
    keypoints: NDArray[np.float32],
    subjects: NDArray[np.int64],
    *,
    layout: KeypointLayout,
    codec: Codec,
    recipe: Recipe,
    device: torch.device,
    budget_seconds: float | None,
    augmenter: Augment,
    progress: Callable[[Progress], None],
    threads: Threads | None = None,
) -> Trained:
    """Train a model in place by a recipe.

    Args:
        model: (B, 1, H, W) float in [0, 1] -> what the codec reads.
        images: (N, H, W).
        keypoints: (N, K, 2) in pixels, NaN where missing.
        subjects: (N,); no subject is split between training and validation.
        layout: the K keypoints.
        codec: how to read what the model emits.
        recipe: how to train.
        device: where to train.
        budget_seconds: wall time; if the recipe's epochs do not fit, fewer are planned. None for no limit.
        augmenter: uint8 images (B, H, W) and keypoints -> float images (B, 1, H, W) and keypoints.
        progress: called after each epoch.
        threads: how many threads the CPU computes with; None chooses.

    Raises:
        ContractError: the model does not keep the contract, or no row is left to train on.
        RecipeError: the recipe's optimizer is unknown.
        TrainingError: the loss became NaN or infinite, or the error exploded.
    """
    began = time.perf_counter()
    keep_freed_memory()
    usable = ~np.isnan(keypoints).any(axis=(1, 2)) if recipe.partial_labels == "drop" else np.ones(len(images), bool)
    kept = validation_rows(subjects[usable], recipe.validation)
    training = Rows.on(device, images[usable][~kept], keypoints[usable][~kept])
    validation = Rows.on(device, images[usable][kept], keypoints[usable][kept])
    if len(training) == 0:
        raise ContractError(f"no row is left to train on with partial_labels={recipe.partial_labels!r}")
    check_outputs(model.to(device), as_pictures(training.images[:2]), layout, codec)  # and lazy layers take their shape
    model.to(memory_format=torch.channels_last)
    if not any(weight.requires_grad for weight in model.parameters()):
        raise ContractError("the model has no weights that can be trained; give it layers, or requires_grad_(True)")
    budget_left = None if budget_seconds is None else budget_seconds - (time.perf_counter() - began)
    threads = Threads(device) if threads is None else threads
    run = _Run(model, training, codec, recipe, budget_left, augmenter, threads)
    threads.begin(run.copied, min(recipe.batch_size, len(training)))
    best = BestWeights(recipe.early_stopping)
    error_px, validation_px = math.nan, None
    while run.plan.step < run.plan.steps:
        error_px, images_per_second = run.epoch()
        if len(validation):
            threads.follow()
            validation_px = mean_error(run.predictor, validation, codec)
            best.offer(validation_px, run.predictor)
        run.plan.refit()
        progress(
            Progress(
                epoch=run.epochs,
                epochs=run.plan.epochs,
                error_px=error_px,
                validation_px=validation_px,
                images_per_second=images_per_second,
                seconds_left=run.plan.seconds_left,
                threads=torch.get_num_threads() if device.type == "cpu" else None,
            )
        )
        if best.is_over:
            break
    threads.end()
    if best.weights is not None:
        run.predictor.load_state_dict(best.weights)
        validation_px = best.error_px
    return Trained(
        model=run.predictor.eval(),
        rows=len(training),
        epochs=run.epochs,
        epochs_planned=recipe.epochs,
        stopped_early=best.is_over,
        shortened=run.plan.shortened,
        images_per_second=run.images_per_second,
        precision=run.precision,
        error_px=error_px,
        validation_px=validation_px,
    )


class _Run:
    """One training run: the model, its optimizer, its moving average and how far they are."""

    def __init__(
        self,
        model: nn.Module,
        rows: Rows,
        codec: Codec,
        recipe: Recipe,
        budget_seconds: float | None,
        augmenter: Augment,
        threads: Threads,
    ) -> None:
        self.model, self.rows, self.codec, self.recipe, self.augmenter = model, rows, codec, recipe, augmenter
        self.threads = threads
        self.plan = Plan(recipe.epochs, batches(len(rows), recipe.batch_size), budget_seconds, time.perf_counter)
        self.average = Average(model, recipe.ema) if recipe.ema else None
        self.optimizer = make_optimizer(model, recipe)
        self.generator = torch.Generator().manual_seed(recipe.seed)
        height, width = rows.images.shape[1:]
        self.image_size = (height, width)
        self.epochs = self.images = 0
        self.seconds = 0.0
        self._first_step = (0, 0.0)  # its images and its seconds
        device = rows.images.device
        auto = "bfloat16" if has_fast_bfloat16(device) else "float32"
        self.precision = auto if recipe.precision == "auto" else recipe.precision
        self.autocast = torch.autocast(device.type, dtype=torch.bfloat16, enabled=self.precision == "bfloat16")

    @property
    def images_per_second(self) -> float:
        """Over all steps but the first, if there are more."""
        images, seconds = self._first_step if self.plan.step > 1 else (0, 0.0)
        return (self.images - images) / (self.seconds - seconds)

    @property
    def predictor(self) -> nn.Module:
        """The model whose weights predict."""
        return self.model if self.average is None else self.average.model

    def epoch(self) -> tuple[float, float]:
        """Train over every row once, or until the plan ends: the mean pixel error, and images per second.

        Raises:
            TrainingError: the loss became NaN or infinite, or the error exploded.
        """
        began, images = time.perf_counter(), 0
        totals = torch.zeros(3, device=self.rows.images.device)
        order = torch.randperm(len(self.rows), generator=self.generator).to(self.rows.images.device)
        self.model.train()
        # Batches of nearly equal size: a last batch of one row would break batch normalisation.
        for rows in order.tensor_split(self.plan.steps_per_epoch):
            with self.threads.step(len(rows)):
                totals += self._step(self.rows.images[rows], self.rows.keypoints[rows])
            images += len(rows)
            if self.plan.step == 0:
                totals.tolist()  # waits for the device
                self._first_step = (len(rows), time.perf_counter() - began)
            self.plan.advance()
            if self.plan.step >= self.plan.steps:
                break
        distance, count, loss = totals.tolist()  # the one wait for the device in an epoch, but for the first
        seconds = time.perf_counter() - began
        self.epochs, self.images, self.seconds = self.epochs + 1, self.images + images, self.seconds + seconds
        error_px = distance / count if count else math.nan
        self._assert_sane(loss, error_px)
        return error_px, images / seconds

    def copied(self) -> Step:
        """A function that trains a copy on the first rows, and changes nothing in this run."""
        model = copy.deepcopy(self.model).train()
        run = _Run(model, self.rows, self.codec, self.recipe, None, self.augmenter, self.threads)
        return lambda count: run._step(self.rows.images[:count], self.rows.keypoints[:count])

    def _step(self, images: Tensor, keypoints: Tensor) -> Tensor:
        """One update: (3,) summed distance in pixels, labelled keypoints, loss."""
        recipe, progress = self.recipe, self.plan.progress
        pictures, targets = self.augmenter(images, keypoints, self.generator)
        try:
            with self.autocast:
                outputs = self.model(pictures)
        except ValueError as error:
            if len(images) > 1:
                raise
            raise ContractError(
                f"the model cannot train on a batch of one image ({error}); raise batch_size, or leave out batch "
                "normalisation of single values"
            ) from error
        points, loss = points_and_loss(self.codec, outputs, targets, recipe, self.image_size)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch has not typed it
        set_lr_and_momentum(
            self.optimizer,
            lr_at(progress, schedule=recipe.lr_schedule, lr=recipe.lr, lr_end=recipe.lr_end, warmup=recipe.warmup),
            momentum_at(
                progress,
                schedule=recipe.momentum_schedule,
                momentum=recipe.momentum,
                momentum_end=recipe.momentum_end,
            ),
        )
        take_step(self.optimizer, recipe)
        if self.average is not None:
            self.average.update()
        return torch.cat([summed_distance(points.detach(), targets), loss.detach().view(1)])

    def _assert_sane(self, loss: float, error_px: float) -> None:
        lr = self.optimizer.param_groups[0]["lr"]
        remedy = f"lower lr (it is {self.recipe.lr:g}, and was {lr:.2g} by then), or lengthen warmup"
        if not math.isfinite(loss):
            raise TrainingError(f"the loss became {loss} in epoch {self.epochs} of {self.plan.epochs}; {remedy}")
        if error_px > EXPLODED * max(*self.image_size, self.recipe.shift):
            raise TrainingError(
                f"the error grew to {error_px:.3g} pixels in epoch {self.epochs} of {self.plan.epochs}; {remedy}"
            )
