"""The contract of a submission, and the loader that turns every allowed form into something with fit and predict.

A submission is a Python file, or a folder with ``submission.py``, that defines one of

- ``build_model(layout, image_size)`` -> ``torch.nn.Module``: (B, 1, H, W) float in [0, 1] -> (B, K, 2) pixels, or
  (B, 2 K): x1, y1, x2, y2, ...
  Beside it, each optional: ``recipe`` (a `Recipe`), ``codec`` (what the model emits instead of pixels: "heatmaps" or
  "coordinate_bins"), ``augment`` (an albumentations pipeline, or a function of an image and its keypoints, that stands
  in for the recipe's image edits), ``loss(points, targets)`` (-> (B, K), that stands in for the recipe's), ``weights``
  (the name of a safetensors file next to it, ``my_model.safetensors`` beside ``my_model.py``: loaded instead of
  trained), ``variants`` (trick -> changes, to be measured one by one), ``search_space(trial)`` (-> changes, to be
  searched).
- ``build_estimator(layout, image_size)`` -> an object with scikit-learn's ``fit(images, keypoints)`` (uint8 (N, H, W);
  float32 (N, K, 2), NaN where not labelled) and ``predict(images) -> (N, K, 2)``, or (N, 2 K), such as an `Ensemble`,
  a `Stacked` or `Specialists`. Changes from outside reach it as keywords, if it has them:
  ``build_estimator(layout, image_size, *, epochs=100)``.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from harness.errors import ContractError, LoadError
from harness.keypoints import KeypointLayout
from harness.learning.changes import around, changed, recipe_of, search, takes, takes_two, variants_of
from harness.learning.recipe import Recipe
from harness.learning.seeding import seed_everything
from harness.learning.source_lines import origin, where_it_returns
from harness.submission.habits import missing_module
from harness.submission.predicted import as_predictions
from harness.submission.source import baselines
from harness.submission.syntax import BUILDERS
from harness.text import one_line

if TYPE_CHECKING:
    from harness.learning.results import Progress

_LIBRARIES = tuple(sys.path)
"""Where modules are found before a submission's folder is added."""


class Learner(Protocol):
    """What every form of submission becomes inside the harness."""

    def fit(self, images: NDArray[np.uint8], keypoints: NDArray[np.float32], subjects: NDArray[np.int64]) -> object:
        """Learn from images (N, H, W), keypoints (N, K, 2), NaN where not labelled, and who is shown (N,)."""

    def predict(self, images: NDArray[np.uint8]) -> object:
        """Keypoints (N, K, 2) in pixels for images (N, H, W)."""

    def facts(self) -> dict[str, Any]:
        """What the entry records of it, as plain JSON: device, seed, parameters, each network's recipe and training."""

    def save_weights(self, path: Path) -> None:
        """Write what was learnt as safetensors."""


class EstimatorLearner:
    """A competitor's own estimator. It gets copies of the arrays, so that it may write into them."""

    def __init__(self, estimator: Any, folder: Path, keypoints: int, seed: int, not_applied: list[str]) -> None:
        self._estimator, self._keypoints, self._seed, self._not_applied = estimator, keypoints, seed, not_applied
        self._place = where_it_returns(estimator.predict, folder)

    def fit(self, images: NDArray[np.uint8], keypoints: NDArray[np.float32], subjects: NDArray[np.int64]) -> object:
        """Seed everything and call the estimator's fit, without the subjects."""
        del subjects
        seed_everything(self._seed)
        return self._estimator.fit(np.array(images), np.array(keypoints))

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Call the estimator's predict.

        Raises:
            PredictionError: it returned no predictions; the message names the line that did.
        """
        return as_predictions(self._estimator.predict(np.array(images)), len(images), self._keypoints, self._place)

    def facts(self) -> dict[str, Any]:
        """The seed, and which changes from outside it could not apply; its networks are not known."""
        return {
            "seed": self._seed,
            "parameters": None,
            "weights_loaded": False,
            "can_save_weights": False,
            "not_applied": self._not_applied,
            "notes": [],
            "networks": [],
        }

    def save_weights(self, path: Path) -> None:
        """An estimator keeps its own weights, in no form that the harness knows."""
        raise ContractError(f"{path.name}: only a submission with build_model has weights to save")


@dataclass(frozen=True)
class Settings:
    """How the harness runs a submission this time.

    Attributes:
        device: auto, cpu, cuda, cuda:1 or mps.
        overrides: changes from outside: recipe fields (``epochs``, ``seed``), or keywords of the builder.
        budget_seconds: what training may take; the trainer plans its epochs for it.
        progress: called as training goes on.
        suggested: when it is tuned, the values that the tuner chose for its search space; if empty, it is not changed.
        threads: how many threads the CPU computes with; None chooses by the machine's load.
        tell: called with facts that the submission's learner does not know.
    """

    device: str
    overrides: dict[str, Any]
    budget_seconds: float | None
    progress: Callable[[Progress], None]
    suggested: dict[str, Any] | None = None
    threads: int | None = None
    tell: Callable[..., None] = lambda **_: None


def load_learner(path: Path, layout: KeypointLayout, image_size: tuple[int, int], settings: Settings) -> Learner:
    """Import a submission and build its learner; all random numbers are seeded, by ``overrides["seed"]`` or with 0.

    Raises:
        RecipeError: a change from outside gives the recipe an impossible value.
        LoadError: it cannot be imported; the message names the file, the line and the cause.
        ContractError: it defines neither builder, both, or something that is not what the contract asks for.
    """
    seed = settings.overrides.get("seed", 0)
    Recipe.check_field("seed", seed)
    seed_everything(seed)
    module = _import(path)
    builder_name, builder = _the_builder(module, path)
    if builder_name == "build_model":
        return _network(module, builder, layout, image_size, settings)
    if settings.suggested is not None:
        raise ContractError(f"{path.name}: only a submission with build_model can be tuned")
    taken = {name: value for name, value in settings.overrides.items() if takes(builder, name)}
    others = {name: value for name, value in settings.overrides.items() if name not in taken}
    estimator = builder(layout, image_size, **taken)
    if _is_composite(estimator):
        estimator.configure(
            device=settings.device,
            changes=others,
            budget_seconds=settings.budget_seconds,
            progress=settings.progress,
            threads=settings.threads,
        )
        composite: Learner = estimator
        return composite
    for method in ("fit", "predict"):
        if not callable(getattr(estimator, method, None)):
            raise ContractError(
                f"{path.name}: build_estimator returned {_described(estimator)}, which has no method {method}(); "
                "return an object with fit(images, keypoints) and predict(images)"
            )
    return EstimatorLearner(estimator, path.parent, len(layout), seed, [name for name in others if name != "seed"])


def load_baseline(name: str) -> ModuleType:
    """A built-in submission as a module, for a submission that builds on it.

    Raises:
        ContractError: there is no baseline of this name.
    """
    path = baselines().get(name)
    if path is None:
        raise ContractError(f"there is no baseline {name!r}; `harness baselines` lists them")
    return _execute(f"harness_baseline_{name}", path)


def _is_composite(estimator: object) -> bool:
    # Importing the class would import torch, which not every estimator needs.
    home = sys.modules.get("harness.learning.ensembles")
    return home is not None and isinstance(estimator, home.Composite)


def _import(path: Path) -> ModuleType:
    folder = path.parent
    name = path.stem
    if name in sys.stdlib_module_names or PathFinder.find_spec(name, _LIBRARIES) is not None:
        name = f"submission_{name}"  # whoever imports the module of that name is to get that
    sys.path.append(str(folder))  # last, so that no file in it hides a library's module
    try:
        return _execute(name, path)
    except SyntaxError as error:
        raise LoadError(f"{origin(error, folder) or path.name}: {error.msg}; correct the syntax") from error
    except ImportError as error:
        raise LoadError(
            f"{origin(error, folder) or path.name}: {one_line(str(error))}; {missing_module(error.name, path)}"
        ) from error


def _execute(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None, path
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickles look their module up by name
    spec.loader.exec_module(module)
    return module


def _the_builder(module: ModuleType, path: Path) -> tuple[str, Callable[..., Any]]:
    defined = [name for name in BUILDERS if hasattr(module, name)]
    if not defined:
        raise ContractError(
            f"{path.name} defines neither build_model(layout, image_size) nor build_estimator(layout, image_size); "
            "define one of them (`harness new NAME` writes an example)"
        )
    if len(defined) == 2:
        raise ContractError(f"{path.name} defines both build_model and build_estimator; keep one of them")
    name = defined[0]
    builder = getattr(module, name)
    if not (callable(builder) and takes_two(builder)):
        raise ContractError(f"{path.name}: {name} must be a function of (layout, image_size)")
    return name, builder


def _network(
    module: ModuleType,
    build_model: Callable[..., Any],
    layout: KeypointLayout,
    image_size: tuple[int, int],
    settings: Settings,
) -> Learner:
    # Torch takes seconds to import, and not everything that reads a submission runs it.
    from harness.learning.estimator import NetworkEstimator
    from harness.learning.weights import weights_beside

    augment = getattr(module, "augment", None)
    recipe, build_model = changed(recipe_of(module), build_model, settings.overrides)
    image_edits = augment is None or not recipe.own_augment
    if settings.suggested is not None:
        space = getattr(module, "search_space", None) or around(recipe, image_edits=image_edits)
        searched = search(space, settings.suggested)
        settings.tell(space=searched.space, changes=searched.changes if settings.suggested else {})
        tuned = changed(recipe, build_model, searched.changes)  # so that a wrong change is reported at once
        recipe, build_model = tuned if settings.suggested else (recipe, build_model)
    settings.tell(variants=variants_of(getattr(module, "variants", None), recipe, image_edits=image_edits))
    return NetworkEstimator(
        build_model,
        recipe,
        layout,
        image_size,
        codec=getattr(module, "codec", "pixels"),
        device=settings.device,
        augment=augment,
        loss=getattr(module, "loss", None),
        weights=weights_beside(module),
        budget_seconds=settings.budget_seconds,
        progress=settings.progress,
        threads=settings.threads,
    )


def _described(value: object) -> str:
    return "None" if value is None else f"an object of type {type(value).__name__}"
