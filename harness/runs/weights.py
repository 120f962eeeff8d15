"""Trained weights that a worker left behind: taken only where loading them runs nothing."""

from __future__ import annotations

from pathlib import Path

from harness.errors import PredictionError
from harness.isolation.reader import read_blob

_CAP = 2**30


def read_weights(path: Path) -> bytes:
    """The bytes of a safetensors file.

    Raises:
        PredictionError: it is missing, too large, or not such a file; a pickle, for one, would run code when loaded.
    """
    from safetensors import SafetensorError, deserialize  # most runs leave none

    content = read_blob(path, _CAP)
    try:
        deserialize(content)  # type: ignore[no-untyped-call]
    except SafetensorError:
        raise PredictionError(
            f"{path.name} is not a safetensors file, so it was not kept: loading it could run code"
        ) from None
    return content
