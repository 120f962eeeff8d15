"""The trainer: data on the device, no loader, and a plan that keeps to its time budget."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Sequence
from functools import partial

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
from harness.learning.outputs import points_and_loss, summed_distance
from harness.learning.own_loss import OwnLoss
from harness.learning.plan import Plan, batches
from harness.learning.probing import check_outputs, choose_memory_format, find_scale
from harness.learning.reading import Reader
from harness.learning.recipe import Recipe
from harness.learning.results import Progress, Trained
from harness.learning.schedules import Plateau, lr_at, momentum_at
from harness.learning.threads import Step, Threads
from harness.learning.training_notes import training_notes
from harness.learning.validation import BestWeights, Rows, mean_error, validation_rows

Objective = Callable[..., tuple[Tensor, Tensor]]
"""What the model emitted, the targets and ``image_size`` -> points and the loss, as `points_and_loss` gives them."""

EXPLODED = 100
"""Training has diverged if the mean error is this many image sides, or shifts, even if the loss is still finite."""


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
    place: str = "",
    own_loss: OwnLoss | None = None,
    weights: Sequence[float] | None = None,
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
        place: the submission's line that made the model, for messages.
        own_loss: stands in for the recipe's loss.
        weights: of the K keypoints in the loss; alike if None.

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
    few = as_pictures(training.images[:2])
    reader = Reader(codec, len(layout), place)
    check_outputs(model.to(device), few, reader)
    if not any(weight.requires_grad for weight in model.parameters()):
        raise ContractError("the model has no weights that can be trained; give it layers, or requires_grad_(True)")
    find_scale(model, few, reader)
    choose_memory_format(model, few, reader)
    budget_left = None if budget_seconds is None else budget_seconds - (time.perf_counter() - began)
    threads = Threads(device) if threads is None else threads
    shares = None if weights is None else torch.tensor(weights, device=device)
    objective = partial(points_and_loss, codec, recipe=recipe, own_loss=own_loss, weights=shares)
    run = _Run(model, training, reader, objective, recipe, budget_left, augmenter, threads)
    threads.begin(run.copied, min(recipe.batch_size, len(training)))
    best = BestWeights(recipe.early_stopping)
    error_px, validation_px = math.nan, None
    while run.plan.step < run.plan.steps:
        error_px, images_per_second = run.epoch()
        if len(validation):
            threads.follow()
            validation_px = mean_error(run.predictor, validation, reader)
            best.offer(validation_px, run.predictor)
        run.plateau.offer(error_px if validation_px is None else validation_px)
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
    notes = training_notes(run.model, min(recipe.batch_size, len(training)), run.lost)
    return Trained(
        model=run.predictor.eval(),
        reader=reader,
        rows=len(training),
        epochs=run.epochs,
        epochs_planned=recipe.epochs,
        stopped_early=best.is_over,
        shortened=run.plan.shortened,
        images_per_second=run.images_per_second,
        precision=run.precision,
        error_px=error_px,
        validation_px=validation_px,
        notes=notes,
    )


class _Run:
    """One training run: the model, its optimizer, its moving average and how far they are."""

    def __init__(
        self,
        model: nn.Module,
        rows: Rows,
        reader: Reader,
        objective: Objective,
        recipe: Recipe,
        budget_seconds: float | None,
        augmenter: Augment,
        threads: Threads,
    ) -> None:
        self.model, self.rows, self.reader, self.recipe, self.augmenter = model, rows, reader, recipe, augmenter
        self.objective = objective
        self.threads = threads
        self.plan = Plan(recipe.epochs, batches(len(rows), recipe.batch_size), budget_seconds, time.perf_counter)
        self.average = Average(model, recipe.ema) if recipe.ema else None
        self.optimizer = make_optimizer(model, recipe)
        self.plateau = Plateau(recipe.plateau_factor, recipe.plateau_patience)
        self.generator = torch.Generator().manual_seed(recipe.seed)
        height, width = rows.images.shape[1:]
        self.image_size = (height, width)
        self.epochs = self.images = 0
        self.lost = 0.0  # share of the last epoch's labels that augmentation took away
        self._labels = int((~rows.keypoints.isnan()).all(dim=2).sum())
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
        labels = self._labels * images / len(self.rows)
        self.lost = 1 - count / labels if labels else 0.0
        seconds = time.perf_counter() - began
        self.epochs, self.images, self.seconds = self.epochs + 1, self.images + images, self.seconds + seconds
        error_px = distance / count if count else math.nan
        self._assert_sane(loss, error_px)
        return error_px, images / seconds

    def copied(self) -> Step:
        """A function that trains a copy on the first rows, and changes nothing in this run."""
        model = copy.deepcopy(self.model).train()
        run = _Run(model, self.rows, self.reader, self.objective, self.recipe, None, self.augmenter, self.threads)
        return lambda count: run._step(self.rows.images[:count], self.rows.keypoints[:count])

    def _step(self, images: Tensor, keypoints: Tensor) -> Tensor:
        """One update: (3,) summed distance in pixels, labelled keypoints, loss."""
        recipe, progress = self.recipe, self.plan.progress
        pictures, targets = self.augmenter(images, keypoints, self.generator)
        try:
            with self.autocast:
                outputs = self.reader(self.model(pictures), pictures)
        except ValueError as error:
            if len(images) > 1:
                raise
            raise ContractError(
                f"the model cannot train on a batch of one image ({error}); raise batch_size, or leave out batch "
                "normalisation of single values"
            ) from error
        points, loss = self.objective(outputs, targets, image_size=self.image_size)
        if not loss.requires_grad:
            raise ContractError(
                f"{self.reader.place}what the model returns does not depend on its weights; leave .detach(), .data and "
                "torch.no_grad() out of forward"
            )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch has not typed it
        set_lr_and_momentum(
            self.optimizer,
            lr_at(
                progress,
                schedule=recipe.lr_schedule,
                lr=recipe.lr,
                lr_end=recipe.lr_end,
                warmup=recipe.warmup,
                share=self.plateau.share,
            ),
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
