"""What a model emits, brought into the form and onto the scale that its codec reads.

Models of other people return more than their points: GoogLeNet and Inception a tuple with auxiliary outputs while they
train, torchvision's segmentation networks a dict. Of a tuple the first part counts, of a dict the one named "out", or
else the first. What was found is kept as sentences, so that nothing of it is silent.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from torch import Tensor

from harness.errors import ContractError
from harness.learning.codecs import CODECS, Codec, Outputs
from harness.learning.scales import SCORES, Scale


class Reader:
    """Reads what one network emits.

    Args:
        codec: the form in which it gives keypoints.
        keypoints: how many.
        place: the submission's line that made the network, as messages begin with it.

    Attributes:
        scale: what the numbers of heatmaps and bins mean.
        notes: what its author should know of how it is read, a sentence each.
    """

    def __init__(self, codec: Codec, keypoints: int, place: str = "") -> None:
        self.codec, self.keypoints, self.place = codec, keypoints, place
        self.scale = SCORES
        self.notes: list[str] = []

    def __call__(self, emitted: object, images: Tensor) -> Outputs:
        """What the codec can decode, of what the model emitted for images (B, 1, H, W).

        Raises:
            ContractError: there is no such part in it; the message gives the remedy for common mistakes.
        """
        outputs = emitted
        while not self.codec.fits(outputs, len(images), self.keypoints):
            part = _part_that_counts(outputs)
            if part is None:
                raise ContractError(self._refusal(emitted, images))
            name, found = part
            kind = f"{_kind(outputs)} of {len(outputs)}"  # type: ignore[arg-type]  # it has parts
            self._note(f"the model returns {kind}: {name} counts, and the rest is neither read nor trained")
            outputs = found
        tensors = tensors_of(outputs)
        for tensor in tensors:
            if not tensor.is_floating_point():
                raise ContractError(
                    f"{self.place}the model returned {tensor.dtype}; it must return floating point numbers"
                )
        if len(tensors) == 1 and tensors[0].ndim == 2:
            self._note(f"the model returns {tensors[0].shape[1]} numbers a face: read as x1, y1, x2, y2, ...")
        scaled = tuple(self.scale.scores(tensor) for tensor in tensors)
        return scaled[0] if isinstance(outputs, Tensor) else scaled  # type: ignore[return-value]  # a pair of bins

    def points(self, emitted: object, images: Tensor) -> Tensor:
        """Points float32 (B, K, 2) in pixels, of what the model emitted for images (B, 1, H, W)."""
        height, width = images.shape[2:]
        return self.codec.decode(self(emitted, images), (height, width))

    def read_by(self, scale: Scale, why: str) -> None:
        """Read it by another scale from now on, and note why."""
        self.scale = scale
        self._note(f"{why}, so it is read as {scale.name}, not as scores")

    def _note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)

    def _refusal(self, emitted: object, images: Tensor) -> str:
        batch = len(images)
        return (
            f"{self.place}the model returned {_described(emitted)} for images of {tuple(images.shape)}; it must return "
            f"{self.codec.wanted.format(batch=batch, keypoints=self.keypoints)}"
            f"{_remedy(emitted, self.codec, batch, self.keypoints)}"
        )


def tensors_of(outputs: object) -> tuple[Tensor, ...]:
    """The tensors of what a codec reads: one, or a pair."""
    return (outputs,) if isinstance(outputs, Tensor) else tuple(outputs)  # type: ignore[arg-type]


def _part_that_counts(outputs: object) -> tuple[str, object] | None:
    """What the part is called, and the part itself; None where there is none."""
    if isinstance(outputs, Mapping) and outputs:
        name = "out" if "out" in outputs else next(iter(outputs))
        return f'"{name}"', outputs[name]
    if isinstance(outputs, tuple) and outputs:
        return "the first", outputs[0]
    return None


def _kind(outputs: object) -> str:
    name = "dict" if isinstance(outputs, Mapping) else type(outputs).__name__
    return f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}"


def _described(outputs: object) -> str:
    if isinstance(outputs, Tensor):
        return f"shape {tuple(outputs.shape)}"
    if isinstance(outputs, Mapping):
        parts = ", ".join(f'"{name}": {_described(each)}' for name, each in list(outputs.items())[:4])
        return f"{_kind(outputs)} of {parts or 'nothing'}"
    if isinstance(outputs, (tuple, list)):
        return f"{_kind(outputs)} of {', '.join(map(_described, outputs[:4])) or 'nothing'}"
    return "nothing" if outputs is None else _kind(outputs)


def _remedy(outputs: object, codec: Codec, batch: int, keypoints: int) -> str:
    parts: Iterable[object] = outputs if isinstance(outputs, (tuple, list)) else ()
    if isinstance(outputs, Mapping):
        parts = outputs.values()
    if any(codec.fits(each, batch, keypoints) for each in parts):
        return "; return the tensor of this shape alone, or first in a tuple"
    for name, other in CODECS.items():
        if other.fits(outputs, batch, keypoints):
            return f'; write codec = "{name}" in the submission if that is what it is'
    if outputs is None:
        return "; end forward with return"
    while (part := _part_that_counts(outputs)) is not None:
        outputs = part[1]
    got = tuple(outputs.shape) if isinstance(outputs, Tensor) else ()
    count, axes = f"there are {keypoints} keypoints, len(layout)", len(got)
    remedies = [
        (got == (batch, 2, keypoints), "end forward with .transpose(1, 2)"),
        (axes == 4 and got[::3] == (batch, keypoints), "end forward with .permute(0, 3, 1, 2)"),
        (axes == 0 or got[0] != batch or got[-2:] == (keypoints, 2), "keep the batch as the first axis"),
        (math.prod(got) == batch * keypoints * 2, f"end forward with .view(-1, {keypoints}, 2)"),
        (axes == 2 or got[2:] == (2,), f"{count}, so its last layer must give {2 * keypoints} numbers"),
        (axes == 4, f"{count}, so it must give as many maps"),
    ]
    return next((f"; {remedy}" for applies, remedy in remedies if applies), "")
