"""Picture files of any kind as grey pixels."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from harness.errors import DataError
from harness.files import read_regular

_FORMATS = ("JPEG", "PNG", "BMP", "PPM", "WEBP", "TIFF", "GIF")
_MOST_BYTES = 2**26
_MOST_PIXELS = 2**26  # of a camera with 67 megapixels


def read_grey(file: Path) -> NDArray[np.uint8]:
    """The pixels as they are stored, uint8 (H, W), 0 is black.

    A note in the file that it should be shown turned is not heeded, since keypoints count in the pixels as stored.
    Colours become their luma (ITU-R 601), and what is transparent shows the colour below.

    Raises:
        DataError: it cannot be read or decoded, or is too large, before much memory is spent on it.
    """
    try:
        content = read_regular(file, _MOST_BYTES)
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror}; check that it is a picture") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about colours and notes that are not used
            with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
                width, height = picture.size
                if width * height <= _MOST_PIXELS:
                    return _grey(picture)
    except Image.DecompressionBombError:  # at a multiple of what is too large here
        pass
    except Exception as error:  # Pillow raises errors of a dozen kinds at a file that is damaged
        raise DataError(f"{file}: cannot be decoded as a picture; save it again, as JPEG or PNG") from error
    raise DataError(f"{file}: has more than {_MOST_PIXELS:,} pixels; save it smaller, and its keypoints")


def _grey(picture: Image.Image) -> NDArray[np.uint8]:
    if picture.mode.startswith(("I", "F")):  # 16 bits, which Pillow would cut off at 255
        deep = np.asarray(picture, dtype=np.float64)
        return np.asarray(np.clip(np.rint(deep / (257 if deep.max() > 255 else 1)), 0, 255).astype(np.uint8))
    flat = picture.convert("RGB") if picture.mode in ("P", "PA", "RGBA", "CMYK", "YCbCr", "LAB", "HSV") else picture
    return np.array(flat.convert("L"))
