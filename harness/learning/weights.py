"""Weights files: safetensors beside a submission, found, read and compared with the network that they are for."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import safetensors
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import nn

from harness.errors import ContractError, LoadError

OFFSET = "recentre.offset"
"""What a weights file calls the offset that a recipe with ``recentre`` found."""


def weights_beside(submission: ModuleType) -> Path | None:
    """The file that an imported submission's ``weights`` names; None where it has none.

    Raises:
        LoadError: there is no such file beside the submission.
    """
    name = getattr(submission, "weights", None)
    if name is None:
        return None
    path = Path(str(submission.__file__))
    if not (isinstance(name, str) and (path.parent / name).is_file()):
        raise LoadError(
            f"{path.name}: weights = {name!r} names no file beside the submission; write the name of a "
            ".safetensors file that lies next to it, as a plain string"
        )
    return path.parent / name


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
    kept = tensors.pop(OFFSET, torch.tensor(offset))
    wanted = model.state_dict()
    problems = [f"{name} is missing" for name in wanted if name not in tensors]
    if kept.shape != offset.shape:
        problems.append(f"{OFFSET} is {tuple(kept.shape)} where there are {offset.shape[0]} keypoints")
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
