"""Predicts by onnxruntime, whose threads would bind themselves to cores; skipped where it is not installed."""

import numpy as np
import onnxruntime


def number(value):
    rest = value >> 7
    return bytes([value & 127 | 128 * bool(rest)]) + (number(rest) if rest else b"")


def field(place, content):
    """A field of a protocol buffer: bytes or a number."""
    if isinstance(content, int):
        return number(place << 3) + number(content)
    return number(place << 3 | 2) + number(len(content)) + content


def addition():
    """An ONNX model of one node, y = x + x, written out by hand: the package that writes them is not needed here."""
    shape = field(2, field(1, field(2, b"n")) + field(1, field(2, b"m")))
    named = [field(1, name) + field(2, field(1, field(1, 1) + shape)) for name in (b"x", b"y")]
    node = field(1, b"x") + field(1, b"x") + field(2, b"y") + field(4, b"Add")
    graph = field(1, node) + field(2, b"graph") + field(11, named[0]) + field(12, named[1])
    return field(1, 8) + field(7, graph) + field(8, field(1, b"") + field(2, 13))


class Exported:
    def fit(self, images, keypoints):
        with open("model.onnx", "wb") as file:
            file.write(addition())
        self.half = (np.nanmean(keypoints, axis=0) / 2).astype(np.float32)

    def predict(self, images):
        options = onnxruntime.SessionOptions()
        options.execution_mode = onnxruntime.ExecutionMode.ORT_PARALLEL
        options.inter_op_num_threads = 2
        session = onnxruntime.InferenceSession("model.onnx", options, providers=["CPUExecutionProvider"])
        return np.repeat(session.run(None, {"x": self.half})[0][None], len(images), axis=0)


def build_estimator(layout, image_size):
    return Exported()
