"""NetworkEstimator: a submission's network behind fit and predict."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from harness.errors import ContractError
from harness.keypoints import KeypointLayout
from harness.learning.augment import Augment, Augmenter, as_pictures
from harness.learning.codecs import codec_named
from harness.learning.devices import choose_device, described
from harness.learning.label_sources import by_source, two_sources
from harness.learning.layers import layers_of
from harness.learning.losses import weights_of
from harness.learning.own_augment import OwnAugment, is_function
from harness.learning.own_loss import OwnLoss
from harness.learning.pipelines import PipelineAugmenter
from harness.learning.probing import check_outputs, choose_memory_format, find_learnt_scale
from harness.learning.reading import Reader
from harness.learning.recipe import OWN_LOSS, Recipe
from harness.learning.results import Progress, Trained
from harness.learning.seeding import seed_everything
from harness.learning.source_lines import where_it_returns, where_made
from harness.learning.threads import Threads
from harness.learning.trainer import train
from harness.learning.weights import OFFSET, load_weights

BATCH = 256
_FEW = 32
"""Training faces by which it is found out what a network with weights emits."""


class NetworkEstimator:
    """A network that the harness trains, or whose weights it loads.

    Args:
        build_model: ``build_model(layout, image_size)`` gives the network, (B, 1, H, W) float in [0, 1] -> what the
            codec reads.
        recipe: how to train it.
        layout: the K keypoints.
        image_size: (height, width) in pixels.
        codec: what the network emits, a name in ``CODECS``.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps".
        augment: an albumentations pipeline, or a function of an image and its keypoints, instead of the recipe's image
            edits.
        loss: a function of points and targets for a recipe whose loss is "own".
        weights: a ``.safetensors`` file to load instead of training.
        budget_seconds: wall time that ``fit`` may take; None for no limit.
        progress: called after each epoch.
        threads: how many threads the CPU computes with; None chooses.

    Attributes:
        learnt: the keypoints that the network places; the first K of them are the layout's.
        offset: (K, 2) in pixels, subtracted from what the network predicts; 0 unless the recipe recentres.
        model: the network, once fitted.
        reader: reads what it emits; None before it is fitted.
        trained: how training went; None before it, and where weights were loaded.

    Raises:
        MachineError: the machine has no such device.
        ContractError: there is no such codec, ``augment`` is neither a pipeline nor a function, or there is no ``loss``
            where the recipe asks for it.
        RecipeError: the recipe's weights name no keypoint or group.
    """

    def __init__(
        self,
        build_model: Callable[[KeypointLayout, tuple[int, int]], nn.Module],
        recipe: Recipe,
        layout: KeypointLayout,
        image_size: tuple[int, int],
        codec: str = "pixels",
        device: str = "cpu",
        augment: Any = None,
        loss: Any = None,
        weights: Path | None = None,
        budget_seconds: float | None = None,
        progress: Callable[[Progress], None] = lambda _: None,
        threads: int | None = None,
    ) -> None:
        self.build_model = build_model
        self.recipe = recipe
        self.layout = layout
        self.image_size = image_size
        self.codec = codec_named(codec)
        self.device = choose_device(device)
        self.threads = Threads(self.device, threads)
        self.separate = recipe.partial_labels == "separate"
        self.learnt = two_sources(layout) if self.separate else layout
        self.augmenter = self._augmenter(augment)
        self.augment = augment
        self.own_loss = None if loss is None or recipe.loss != OWN_LOSS else OwnLoss(loss)
        if recipe.loss == OWN_LOSS and self.own_loss is None:
            raise ContractError(
                'recipe field loss is "own", so write a function loss(points, targets) beside build_model'
            )
        self.keypoint_weights = weights_of(recipe.keypoint_weights, layout)
        self.weights = weights
        self.budget_seconds = budget_seconds
        self.progress = progress
        self.offset = np.zeros((len(layout), 2), dtype=np.float32)
        self.model: nn.Module | None = None
        self.reader: Reader | None = None
        self.trained: Trained | None = None

    @property
    def epochs_planned(self) -> int:
        """How many epochs it is to train: 0 where weights are loaded."""
        return self.recipe.epochs if self.weights is None else 0

    @property
    def parameters(self) -> int:
        """How many numbers the fitted network has learnt."""
        return sum(weight.numel() for weight in self._fitted().parameters())

    def fit(
        self,
        images: NDArray[np.uint8],
        keypoints: NDArray[np.float32],
        subjects: NDArray[np.int64] | None = None,
    ) -> NetworkEstimator:
        """Train the network, or load its weights.

        Args:
            images: (N, H, W).
            keypoints: (N, K, 2) in pixels, NaN where missing.
            subjects: (N,), who is shown; without it every row is its own subject.

        Raises:
            ContractError: the network or the weights do not keep the contract.
            RecipeError: the recipe's optimizer is unknown.
            TrainingError: the loss became NaN or infinite, or the error exploded.
        """
        began = time.perf_counter()
        seed_everything(self.recipe.seed)
        model = self.build_model(self.learnt, self.image_size)
        if not isinstance(model, nn.Module):
            raise ContractError(
                f"{where_it_returns(self.build_model)}build_model returned a {type(model).__name__}; it must return a "
                "torch.nn.Module"
            )
        labels = by_source(keypoints) if self.separate else keypoints
        place = where_made(model, self.build_model)
        if self.weights is not None:
            self._load(self.weights, model.to(self.device), Reader(self.codec, len(self.learnt), place), images, labels)
            return self
        spent = time.perf_counter() - began
        self.trained = train(
            model,
            images,
            labels,
            np.arange(len(images)) if subjects is None else subjects,
            layout=self.learnt,
            codec=self.codec,
            recipe=self.recipe,
            device=self.device,
            budget_seconds=None if self.budget_seconds is None else self.budget_seconds - spent,
            augmenter=self.augmenter,
            progress=self.progress,
            threads=self.threads,
            place=place,
            own_loss=self.own_loss,
            weights=self.keypoint_weights and self.keypoint_weights * (len(self.learnt) // len(self.layout)),
        )
        self.model, self.reader = self.trained.model, self.trained.reader
        if self.recipe.recentre:
            self.offset = self._mean_error(images, keypoints)
        return self

    @torch.inference_mode()
    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Keypoints float32 (N, K, 2) in pixels of images uint8 (N, H, W)."""
        model, reader = self._fitted().eval(), self.reader
        assert reader is not None

        def points(batch: Tensor) -> NDArray[np.float32]:
            pictures = as_pictures(batch)
            found = reader.points(model(pictures), pictures)[:, : len(self.layout)]
            return np.asarray(found.cpu().numpy(), dtype=np.float32)

        predictions = []
        for rows in np.array_split(images, max(1, -(-len(images) // BATCH))):
            self.threads.follow()
            batch = torch.tensor(rows, device=self.device)
            straight = points(batch)
            if self.recipe.flip_test:
                mirrored = points(batch.flip(-1))
                straight = np.float32(0.5) * (straight + self.layout.flip(mirrored, self.image_size[1]))
            predictions.append(straight - self.offset)
        return np.concatenate(predictions)

    def save_weights(self, path: Path) -> None:
        """Write the fitted network's weights as a ``.safetensors`` file."""
        # Copies: safetensors refuses tensors that share memory or are not laid out row by row.
        tensors = {
            name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
            for name, tensor in self._fitted().state_dict().items()
        }
        if self.recipe.recentre:
            tensors[OFFSET] = torch.tensor(self.offset)
        safetensors.torch.save_file(tensors, path)

    def facts(self) -> dict[str, Any]:
        """What the entry records, as plain JSON: device, seed, parameters; in ``networks`` how this one was trained.

        Before ``fit`` that is what is planned: its recipe and epochs.
        """
        return {
            "device": described(self.device),
            "threads": str(self.threads),
            "seed": self.recipe.seed,
            "parameters": None if self.model is None else self.parameters,
            "weights_loaded": self.weights is not None,
            "can_save_weights": True,
            "not_applied": [],
            "notes": [
                *getattr(self.augmenter, "notes", ()),
                *(self.reader.notes if self.reader else ()),
                *(self.trained.notes if self.trained else ()),
            ],
            "networks": [
                {
                    "recipe": self.recipe.as_dict(),
                    "epochs_planned": self.epochs_planned,
                    **({} if self.model is None else {"layers": layers_of(self.model, self.image_size, self.device)}),
                    **self._training(),
                }
            ],
        }

    def _augmenter(self, augment: Any) -> Augment:
        """The submission's own augmentation, if it has one and its recipe uses it, otherwise the recipe's."""
        if augment is None or not self.recipe.own_augment:
            return Augmenter(self.recipe, self.learnt, self.image_size, self.device)
        if is_function(augment):
            return OwnAugment(augment, self.learnt, self.image_size)
        return PipelineAugmenter(augment, self.learnt, self.image_size)

    def _load(
        self, weights: Path, model: nn.Module, reader: Reader, images: NDArray[np.uint8], keypoints: NDArray[np.float32]
    ) -> None:
        """Load weights into a network that fits the contract, and see on training faces how it is to be read."""
        few = as_pictures(torch.tensor(images[:_FEW], device=self.device))
        check_outputs(model, few[:2], reader)
        self.offset = load_weights(model, weights, self.offset)
        find_learnt_scale(model, few, torch.tensor(keypoints[:_FEW], device=self.device), reader)
        choose_memory_format(model, few[:2], reader)
        self.model, self.reader = model.eval(), reader

    def _training(self) -> dict[str, Any]:
        """How training went, once it is done; None for NaN and infinity, which JSON does not have."""
        if self.trained is None:
            return {}
        told = [each.name for each in fields(self.trained) if each.name not in ("model", "reader", "notes")]
        known = {name: getattr(self.trained, name) for name in told}
        return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in known.items()}

    def _mean_error(self, images: NDArray[np.uint8], keypoints: NDArray[np.float32]) -> NDArray[np.float32]:
        """Mean error (K, 2) in pixels; 0 for a keypoint that is labelled in no row."""
        errors = self.predict(images) - keypoints
        labelled = ~np.isnan(errors)
        mean: NDArray[np.float32] = np.where(labelled, errors, 0).sum(axis=0) / labelled.sum(axis=0).clip(min=1)
        return mean.astype(np.float32)

    def _fitted(self) -> nn.Module:
        if self.model is None:
            raise RuntimeError("call fit before predict")
        return self.model
