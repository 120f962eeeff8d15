"""A model in ONNX is run as it is: channels first or last, a batch of any size or a fixed one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.submissions import grade_path
from support.tiny import SIDE, Tiny

onnx = pytest.importorskip("onnx", reason="needs onnx: pip install 'facial-keypoint-harness[test]'")
pytest.importorskip("onnxruntime", reason="needs onnxruntime: pip install 'facial-keypoint-harness[onnx]'")


def model(
    path: Path,
    shape: tuple[int | str, ...] = ("B", 1, SIDE, SIDE),
    out: tuple[int, ...] = (30,),
    *,
    domain: str = "",
    external: bool = False,
    opset: int = 17,
) -> Path:
    """Sums of pixels times nought, plus the middle of the picture for every keypoint."""
    helper, kinds = onnx.helper, onnx.TensorProto
    weight = np.zeros((SIDE * SIDE, 30), np.float32)
    tensors = [
        onnx.numpy_helper.from_array(weight, "weight"),
        onnx.numpy_helper.from_array(np.full(30, SIDE / 2, np.float32), "bias"),
        onnx.numpy_helper.from_array(np.array([-1, SIDE * SIDE]), "flat"),
        onnx.numpy_helper.from_array(np.array([-1, *out]), "out"),
    ]
    nodes = [
        helper.make_node("Reshape", ["images", "flat"], ["rows"]),
        helper.make_node("MatMul", ["rows", "weight"], ["sums"], domain=domain),
        helper.make_node("Add", ["sums", "bias"], ["all"]),
        helper.make_node("Reshape", ["all", "out"], ["points"]),
    ]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("images", kinds.FLOAT, shape)],
        [helper.make_tensor_value_info("points", kinds.FLOAT, (shape[0], *out))],
        tensors,
    )
    imports = [helper.make_opsetid("", opset), *([helper.make_opsetid(domain, 1)] if domain else [])]
    made = helper.make_model(graph, opset_imports=imports, ir_version=8)
    onnx.save(made, path, save_as_external_data=external, location="secret.bin" if external else None, size_threshold=0)
    return path


@pytest.mark.parametrize("batch", ["B", 7])
@pytest.mark.parametrize("image", [(1, SIDE, SIDE), (SIDE, SIDE, 1), (SIDE, SIDE)], ids=str)
def test_either_order_of_channels_and_any_batch_is_graded(batch: Any, image: tuple[int, ...], tiny: Tiny) -> None:
    out = (30,) if batch == "B" else (15, 2)

    code, entry = grade_path(tiny, model(tiny.root / "mine.onnx", (batch, *image), out))

    assert (code, entry["status"], entry["trained"]) == (0, "graded", "brought")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"shape": ("B", 3, SIDE, SIDE)}, "it must take images as one of (B, 1, 32, 32), (B, 32, 32, 1), (B, 32, 32)"),
        ({"out": (15, 2, 1)}, "it must give (15, 2) or (30,)"),
        ({"domain": "my.own"}, "onnxruntime cannot load the model"),
        ({"external": True}, "keeps its weights in another file; export it with all of them inside"),
        ({"opset": 99}, "needs a newer onnxruntime"),
    ],
    ids=["three channels", "another shape", "operators of its own", "external data", "a newer opset"],
)
def test_a_model_that_cannot_be_taken_is_refused_in_a_sentence(
    options: dict[str, Any], reason: str, tiny: Tiny
) -> None:
    code, entry = grade_path(tiny, model(tiny.root / "mine.onnx", **options))

    assert code == 2 and reason in entry["reason"]


def test_what_is_no_onnx_is_refused(tiny: Tiny) -> None:
    (tiny.root / "mine.onnx").write_bytes(b"weights")

    code, entry = grade_path(tiny, tiny.root / "mine.onnx")

    assert code == 2 and "onnxruntime cannot load the model" in entry["reason"]
