"""The progress line: rewritten in place on a terminal, a plain line now and then in a pipe or a CI log."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TextIO

from harness.isolation.limits import usable_cores
from harness.units import format_seconds

_PLAIN_EVERY = 15.0
"""Seconds between lines where nothing can be rewritten."""


class ProgressLine:
    """Shows how far something is.

    Args:
        stream: usually stderr, so that stdout holds the result alone.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._last = time.monotonic()
        self._width = 0

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clear()

    def heading(self, text: str) -> None:
        """Write a line that stays, above the one that is rewritten."""
        self._clear()
        self._stream.write(text + "\n")
        self._stream.flush()

    def count(self, what: str, done: int, total: int) -> None:
        """Show ``done`` of ``total``."""
        self._show(f"{what}: {done:,} of {total:,}", last=done >= total)

    def training(self, progress: dict[str, float]) -> None:
        """Show a worker's progress message: epoch, error in pixels, images per second, threads if few, time left."""
        epoch, epochs = int(progress.get("epoch", 0)), int(progress.get("epochs", 0))
        parts = [f"epoch {epoch}/{epochs}", f"error {progress.get('error_px', 0.0):.2f} px"]
        if "validation_px" in progress:
            parts.append(f"validation {progress['validation_px']:.2f} px")
        parts.append(f"{progress.get('images_per_second', 0.0):,.0f} images/s")
        if 0 < (threads := int(progress.get("threads", 0))) < usable_cores():
            parts.append(f"{threads} of {usable_cores()} threads")
        parts.append(f"{format_seconds(max(0.0, progress.get('seconds_left', 0.0)))} left")
        self._show("  ".join(parts), last=epoch >= epochs)

    def _clear(self) -> None:
        if self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()
            self._width = 0

    def _show(self, text: str, last: bool) -> None:
        if self._live:
            self._stream.write("\r" + text.ljust(self._width))
            self._width = max(self._width, len(text))
        elif last or time.monotonic() - self._last >= _PLAIN_EVERY:
            self._stream.write(text + "\n")
            self._last = time.monotonic()
        self._stream.flush()
