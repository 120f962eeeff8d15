"""Grey images written as text, one image a string of ``H * W`` numbers from 0 to 255 with blanks between them."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

CHUNK_BYTES = 1 << 19  # of text at once, so that the arrays made of it stay in the processor's cache


class GreyTextError(ValueError):
    """A text that is not an image: ``row`` is its position among the texts, the message the problem and the remedy."""

    def __init__(self, row: int, problem: str) -> None:
        super().__init__(problem)
        self.row = row


def parse_grey(texts: Sequence[str], pixels: int) -> NDArray[np.uint8]:
    """uint8 (N, pixels): the grey values of N texts.

    Raises:
        GreyTextError: a text has not exactly ``pixels`` numbers, or one that is not a whole number from 0 to 255.
    """
    values = np.empty((len(texts), pixels), np.uint8)
    step = max(1, CHUNK_BYTES // (4 * pixels))
    for start in range(0, len(texts), step):
        chunk = texts[start : start + step]
        parsed = _parse_regular(chunk, pixels)
        if parsed is None:
            parsed = np.array([_parse_any(text, pixels, start + i) for i, text in enumerate(chunk)], np.uint8)
        values[start : start + step] = parsed
    return values


def _parse_regular(texts: Sequence[str], pixels: int) -> NDArray[np.uint8] | None:
    """Parse texts of numbers of one to three digits with one blank between them; None for any other text."""
    joined = "\n".join(texts) + "\n"
    if not joined.isascii():
        return None
    characters = np.frombuffer(joined.encode("ascii"), np.uint8)
    digits = characters - ord("0")  # wraps round, so whatever is not a digit becomes 10 or more
    ends = np.flatnonzero(digits > 9)
    if len(ends) != len(texts) * pixels:
        return None
    lengths = np.diff(ends, prepend=-1) - 1
    separators = characters[ends].reshape(len(texts), pixels)
    # With blanks everywhere else, the last column is where the N line ends must be.
    if lengths.min() < 1 or lengths.max() > 3 or (separators[:, :-1] != ord(" ")).any():
        return None
    values = digits[ends - 1].astype(np.uint16)
    values += np.multiply(np.where(lengths > 1, digits[ends - 2], 0), 10, dtype=np.uint16)
    values += np.multiply(np.where(lengths > 2, digits[ends - 3], 0), 100, dtype=np.uint16)
    if values.max() > 255:
        return None
    return values.astype(np.uint8).reshape(len(texts), pixels)


def _parse_any(text: str, pixels: int, row: int) -> list[int]:
    """Parse one text with any white space between its numbers, slowly, and say what is wrong with it."""
    words = text.split()
    for position, word in enumerate(words):
        if not (word.isascii() and word.isdigit() and len(word) <= 3 and int(word) <= 255):
            shown = reprlib.repr(word)  # shortens what has no blanks at all
            raise GreyTextError(row, f"pixel {position} is {shown}; write a whole number from 0 to 255")
    if len(words) != pixels:
        raise GreyTextError(
            row, f"{len(words)} pixels where the image has {pixels}; write them all, with blanks between them"
        )
    return [int(word) for word in words]
