"""NetworkEstimator: a submission's network behind fit and predict."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from harness.errors import ContractError
from harness.keypoints import KeypointLayout
from harness.learning.augment import Augmenter, as_pictures
from harness.learning.codecs import codec_named
from harness.learning.devices import choose_device, described
from harness.learning.label_sources import by_source, two_sources
from harness.learning.outputs import check_outputs
from harness.learning.pipelines import PipelineAugmenter
from harness.learning.recipe import Recipe
from harness.learning.trainer import Progress, Trained, seed_everything, train

BATCH = 256

_OFFSET = "recentre.offset"
"""What a weights file calls the offset that a recipe with ``recentre`` found."""


class NetworkEstimator:
    """A network that the harness trains, or whose weights it loads.

    Args:
        build_model: ``build_model(layout, image_size)`` gives the network, (B, 1, H, W) float in [0, 1] -> what the
            codec reads.
        recipe: how to train it.
        layout: the K keypoints.
        image_size: (height, width) in pixels.
        codec: what the network emits, a name in ``CODECS``.
        device: "auto", "cpu", "cuda" or "mps".
        augment: an albumentations pipeline that stands in for the recipe's augmentation.
        weights: a ``.safetensors`` file to load instead of training.
        budget_seconds: wall time that ``fit`` may take; None is no limit.
        progress: called after each epoch.

    Attributes:
        learnt: the keypoints that the network places; the first K of them are the layout's.
        offset: (K, 2) in pixels, subtracted from what the network says; 0 unless the recipe recentres.
        model: the network, once fitted.
        trained: how training went; None before it, and where weights were loaded.

    Raises:
        MachineError: the machine has no such device.
        ContractError: there is no such codec, or ``augment`` is no pipeline.
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
        weights: Path | None = None,
        budget_seconds: float | None = None,
        progress: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        self.build_model = build_model
        self.recipe = recipe
        self.layout = layout
        self.image_size = image_size
        self.codec = codec_named(codec)
        self.device = choose_device(device)
        self.separate = recipe.partial_labels == "separate"
        self.learnt = two_sources(layout) if self.separate else layout
        self.augmenter = (
            Augmenter(recipe, self.learnt, image_size, self.device)
            if augment is None
            else PipelineAugmenter(augment, self.learnt, image_size)
        )
        self.weights = weights
        self.budget_seconds = budget_seconds
        self.progress = progress
        self.offset = np.zeros((len(layout), 2), dtype=np.float32)
        self.model: nn.Module | None = None
        self.trained: Trained | None = None

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
            raise ContractError(f"build_model returned a {type(model).__name__}; it must return a torch.nn.Module")
        if self.weights is not None:
            model.to(self.device)
            check_outputs(model, as_pictures(torch.tensor(images[:2], device=self.device)), self.learnt, self.codec)
            self.offset = load_weights(model, self.weights, self.offset)
            self.model = model.to(memory_format=torch.channels_last).eval()
            return self
        spent = time.perf_counter() - began
        self.trained = train(
            model,
            images,
            by_source(keypoints) if self.separate else keypoints,
            np.arange(len(images)) if subjects is None else subjects,
            layout=self.learnt,
            codec=self.codec,
            recipe=self.recipe,
            device=self.device,
            budget_seconds=None if self.budget_seconds is None else self.budget_seconds - spent,
            augmenter=self.augmenter,
            progress=self.progress,
        )
        self.model = self.trained.model
        if self.recipe.recentre:
            self.offset = self._mean_error(images, keypoints)
        return self

    @torch.inference_mode()
    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Keypoints float32 (N, K, 2) in pixels of images uint8 (N, H, W)."""
        model = self._fitted().eval()

        def points(batch: Tensor) -> NDArray[np.float32]:
            found = self.codec.decode(model(as_pictures(batch)), self.image_size)[:, : len(self.layout)]
            return np.asarray(found.cpu().numpy(), dtype=np.float32)

        predictions = []
        for rows in np.array_split(images, max(1, -(-len(images) // BATCH))):
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
            tensors[_OFFSET] = torch.tensor(self.offset)
        safetensors.torch.save_file(tensors, path)

    def facts(self) -> dict[str, Any]:
        """What an entry tells: recipe, seed, device; after ``fit`` the parameter count and how training went."""
        known: dict[str, Any] = {
            "recipe": self.recipe.as_dict(),
            "seed": self.recipe.seed,
            "device": described(self.device),
        }
        if self.model is not None:
            known["parameters"] = self.parameters
        if self.trained is not None:
            # NaN is no JSON: a run without a whole epoch has no training error.
            told = {
                each.name: getattr(self.trained, each.name) for each in fields(self.trained) if each.name != "model"
            }
            known["training"] = {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in told.items()}
        return known

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


def load_weights(model: nn.Module, path: Path, offset: NDArray[np.float32]) -> NDArray[np.float32]:
    """Load a ``.safetensors`` file into a model; returns the offset that was kept with it, or the given one.

    Raises:
        ContractError: the file is missing or of another kind, or its tensors do not fit the model.
    """
    how = "save the weights with safetensors.torch.save_file(model.state_dict(), 'my_model.safetensors')"
    if path.suffix != ".safetensors":
        raise ContractError(f"weights file {path.name} is not a .safetensors file, and a pickle can run code; {how}")
    if not path.is_file():
        raise ContractError(f"weights file {path} does not exist; put it beside the submission")
    try:
        tensors = safetensors.torch.load_file(path)
    except safetensors.SafetensorError as error:
        raise ContractError(f"weights file {path.name} cannot be read as safetensors ({error}); {how}") from error
    kept = tensors.pop(_OFFSET, torch.tensor(offset))
    wanted = model.state_dict()
    problems = [f"{name} is missing" for name in wanted if name not in tensors]
    if kept.shape != offset.shape:
        problems.append(f"{_OFFSET} is {tuple(kept.shape)} where there are {offset.shape[0]} keypoints")
    problems += [f"{name} is not part of the model" for name in tensors if name not in wanted]
    problems += [
        f"{name} is {tuple(tensor.shape)} where the model has {tuple(wanted[name].shape)}"
        for name, tensor in tensors.items()
        if name in wanted and tensor.shape != wanted[name].shape
    ]
    if problems:
        more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
        raise ContractError(
            f"weights file {path.name} does not fit what build_model builds: {'; '.join(problems[:3])}{more}"
        )
    model.load_state_dict(tensors)
    return np.asarray(kept.numpy(), dtype=np.float32)
