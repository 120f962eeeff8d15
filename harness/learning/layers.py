"""The layers of a network, as a table of a few rows for people."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

MOST = 24
"""Rows; of a network with more layers, blocks are shown."""
_LONGEST = 80
_DETAILS = ("eps", "momentum", "affine", "elementwise_affine", "track_running_stats", "bias", "inplace")


def layers_of(model: nn.Module, image_size: tuple[int, int], device: torch.device) -> list[dict[str, Any]]:
    """The layers of a model in the order in which it holds them, or its blocks where there are more than ``MOST``.

    Each has its name in the model, what it is, the shape of what it gives for one blank image of (height, width), empty
    where that is not known, and how many parameters it has. Empty where the model cannot be looked at.
    """
    try:
        return _layers(model, image_size, device)
    except Exception:  # a table for people is not worth a failure, whatever a competitor's network does
        return []


def _layers(model: nn.Module, image_size: tuple[int, int], device: torch.device) -> list[dict[str, Any]]:
    rows = _unfolded(model)
    shapes = _shapes([module for _, module in rows], model, image_size, device)
    layers = [
        {"name": name[-_LONGEST:], "kind": _kind(module), "shape": shapes.get(index, ""), "parameters": _count(module)}
        for index, (name, module) in enumerate(rows)
    ]
    rest = _count(model) - sum(_count(module) for _, module in rows)
    if rest > 0:
        layers.append({"name": "", "kind": "parameters outside of these", "shape": "", "parameters": rest})
    return layers


def _unfolded(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """Name and module of the deepest level whose modules are few enough."""
    rows = [("", model)]
    while True:
        deeper = [
            (f"{name}.{inside}".strip("."), module)
            for name, outer in rows
            for inside, module in (list(outer.named_children()) or [("", outer)])
        ]
        if len(deeper) > MOST or deeper == rows:
            return rows
        rows = deeper


def _kind(module: nn.Module) -> str:
    """Its class and what it was made with; of a block the class alone."""
    name = type(module).__name__
    told = "" if any(module.children()) else " ".join(module.extra_repr().split())
    inside = ", ".join(part for part in re.split(r", (?![^(]*\))", told) if part.partition("=")[0] not in _DETAILS)
    return (f"{name}({inside})" if inside else name)[:_LONGEST]


def _count(module: nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())


def _shapes(
    modules: list[nn.Module], model: nn.Module, image_size: tuple[int, int], device: torch.device
) -> dict[int, str]:
    """Position -> shape of what a module gives for one image, of those that the model calls."""
    shapes: dict[int, str] = {}

    def note(index: int, _: nn.Module, __: object, output: object) -> None:
        if isinstance(output, Tensor):
            shapes[index] = " x ".join(map(str, output.shape[1:]))

    hooks = [module.register_forward_hook(partial(note, index)) for index, module in enumerate(modules)]
    try:
        with torch.inference_mode():
            model.eval()(torch.zeros(1, 1, *image_size, device=device))
    except Exception:  # it may need more than one image, or one that is not blank
        return {}
    finally:
        for hook in hooks:
            hook.remove()
    return shapes
