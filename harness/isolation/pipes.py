"""What comes out of a worker: printed text and messages, bounded however much it sends."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from harness.errors import MachineError
from harness.isolation.limits import KIB
from harness.text import plain, plain_values

Message = dict[str, Any]

LONGEST_MESSAGE = 64 * KIB
"""Bytes of one line; a longer one is dropped."""
MOST_MESSAGES = 100_000
"""Lines of one worker; later ones are dropped."""
TAIL = 8 * KIB
"""Bytes of printed text that an outcome keeps."""


class Printed:
    """What a worker printed: all of it up to a cap in a file, and the tail at hand."""

    def __init__(self, log: Path, cap: int) -> None:
        self._log: BinaryIO = log.open("wb", buffering=0)  # its size says how much was printed so far
        self._cap = cap
        self._tail = b""
        self._count = 0

    def feed(self, chunk: bytes) -> None:
        """Take what was read from stdout and stderr."""
        self._log.write(chunk[: max(0, self._cap - self._count)])
        self._tail = (self._tail + chunk)[-TAIL:]
        self._count += len(chunk)

    @property
    def is_too_much(self) -> bool:
        """Whether it printed more than the cap."""
        return self._count > self._cap

    def close(self) -> str:
        """Close the file and give the tail as plain text; bytes that are not UTF-8 become U+FFFD."""
        self._log.close()
        return plain(self._tail.decode("utf-8", errors="replace"))


class Messages:
    """JSON objects, one a line, from a worker that may send anything; each goes to ``on_message`` as a dict.

    The first is the bootstrap's, who speaks before it lets anybody else speak, and is kept here. Lines that are too
    long, too many or no JSON object are dropped. Text in them becomes plain, and NaN, infinite and absurdly long
    numbers become None, so that every message can be written to a file again.
    """

    def __init__(self, on_message: Callable[[Message], None]) -> None:
        self._on_message = on_message
        self._line = b""
        self._left = MOST_MESSAGES
        self.held: str | None = None
        """What keeps the worker in; None until its bootstrap has said so."""

    def feed(self, chunk: bytes) -> None:
        """Take what was read from the channel."""
        *lines, rest = (self._line + chunk).split(b"\n")
        # One byte more than allowed is enough to know the line as too long when its end comes.
        self._line = rest[: LONGEST_MESSAGE + 1]
        for line in lines:
            self._take(line)

    def _take(self, line: bytes) -> None:
        if len(line) > LONGEST_MESSAGE or self._left == 0:
            return
        self._left -= 1
        try:
            message = plain_values(json.loads(line, parse_float=_finite, parse_constant=_finite, parse_int=_short))
        except (ValueError, RecursionError):
            return
        if not isinstance(message, dict):
            return
        if self.held is not None:
            self._on_message(message)
        elif "refused" in message:
            raise MachineError(str(message["refused"]))
        else:
            self.held = str(message.get("held", ""))


def _finite(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _short(digits: str) -> int | None:
    return int(digits) if len(digits) <= 18 else None
