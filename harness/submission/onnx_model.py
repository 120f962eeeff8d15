"""A model in ONNX, as Keras, JAX, scikit-learn or PyTorch export it, run by onnxruntime in the worker."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import ContractError, LoadError, MachineError

_BATCH = 64


class OnnxModel:
    """Predicts with a model that was trained elsewhere; ``fit`` learns nothing.

    The model takes grey values from 0 to 1 as (B, 1, H, W), (B, H, W, 1) or (B, H, W), and gives keypoints in pixels as
    (B, K, 2) or (B, 2K) in the order x, y. Its batch may be of any size or a fixed one.

    Args:
        path: the .onnx file, with its weights inside.
        keypoints: K.
        image_size: (H, W).

    Raises:
        LoadError: onnxruntime cannot run it.
        ContractError: its input or output is another than above.
        MachineError: onnxruntime is not installed.
    """

    def __init__(self, path: Path, keypoints: int, image_size: tuple[int, int]) -> None:
        self._keypoints = keypoints
        self._session = _session(path)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1:
            raise ContractError(f"the model has {len(inputs)} inputs; it must have one, the images")
        self._input, self._output = inputs[0].name, outputs[0].name
        self._type = {"tensor(float)": np.float32, "tensor(double)": np.float64}.get(inputs[0].type)
        if self._type is None:
            raise ContractError(f"the model takes {inputs[0].type}; it must take floats, grey values from 0 to 1")
        height, width = image_size
        self._shape = _matching(inputs[0].shape, ((1, height, width), (height, width, 1), (height, width)))
        batch = inputs[0].shape[0]
        self._batch = batch if isinstance(batch, int) and batch > 0 else None

    def fit(self, images: NDArray[np.uint8], keypoints: NDArray[np.float32]) -> OnnxModel:
        """Nothing: what it knows is in the file."""
        del images, keypoints
        return self

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Keypoints (N, K, 2) in pixels for images (N, H, W)."""
        size = self._batch or _BATCH
        parts = []
        for start in range(0, len(images), size):
            part = images[start : start + size]
            missing = (self._batch or len(part)) - len(part)
            filled = np.concatenate([part, np.repeat(part[-1:], missing, axis=0)]) if missing else part
            given = (filled / 255).astype(self._type).reshape(len(filled), *self._shape)
            parts.append(np.asarray(self._run(given))[: len(part)])
        points = np.concatenate(parts)
        if points.shape[1:] == (2 * self._keypoints,):
            points = points.reshape(-1, self._keypoints, 2)
        if points.shape[1:] != (self._keypoints, 2):
            raise ContractError(
                f"the model gives {points.shape[1:]} for an image; it must give ({self._keypoints}, 2) or "
                f"({2 * self._keypoints},): x and y of each keypoint in pixels"
            )
        return points.astype(np.float32)

    def _run(self, given: NDArray[Any]) -> Any:
        try:
            return self._session.run([self._output], {self._input: given})[0]
        except Exception as error:  # onnxruntime's own types, which it does not export
            raise ContractError(f"onnxruntime cannot run the model: {_first_line(error)}") from error


def _session(path: Path) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise MachineError(
            "an .onnx file needs onnxruntime, which is not installed here; the teacher installs "
            "facial-keypoint-harness[onnx]"
        ) from error
    import torch

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.inter_op_num_threads = 1
    onnxruntime.set_default_logger_severity(4)
    try:
        # From bytes it cannot reach files beside it, whose names the model chooses.
        return onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own types, which it does not export
        said = _first_line(error)
        if "external" in said.lower():
            raise LoadError("the model keeps its weights in another file; export it with all of them inside") from error
        if "opset" in said.lower() or re.search("ir.?version", said.lower()):
            raise LoadError(
                "the model needs a newer onnxruntime than is installed here; export it for opset 17"
            ) from error
        raise LoadError(f"onnxruntime cannot load the model: {said}; export it with standard operators") from error


def _matching(shape: list[int | str | None], wanted: tuple[tuple[int, ...], ...]) -> tuple[int, ...]:
    """Which shape of an image a model's input fits; a size that it leaves open fits any."""
    for each in wanted:
        if len(shape) == len(each) + 1 and all(
            not isinstance(size, int) or size in (-1, side) for size, side in zip(shape[1:], each, strict=True)
        ):
            return each
    forms = ", ".join(f"(B, {', '.join(map(str, each))})" for each in wanted)
    raise ContractError(f"the model takes {shape}; it must take images as one of {forms}")


def _first_line(error: Exception) -> str:
    """What onnxruntime says, without its codes and places in its own source."""
    said = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", said).rstrip(".")[:300]
