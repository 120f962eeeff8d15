"""The progress line: rewritten in place on a terminal, a plain line now and then in a pipe or a CI log."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Mapping
from types import TracebackType
from typing import TextIO

from harness.isolation.limits import usable_cores
from harness.runs.worker_log import Event
from harness.text import plain, printable
from harness.units import format_seconds

_PLAIN_EVERY = 15.0
"""Seconds between lines where nothing can be rewritten."""
_LIVE_EVERY = 0.05
"""Seconds between states of a line that is rewritten; nobody reads faster."""


def training_text(progress: Mapping[str, float]) -> str:
    """A worker's progress message in words: epoch, error in pixels, images per second, threads if few, time left."""
    epoch, epochs = int(progress.get("epoch", 0)), int(progress.get("epochs", 0))
    parts = [f"epoch {epoch}/{epochs}", f"error {progress.get('error_px', 0.0):.2f} px"]
    if "validation_px" in progress:
        parts.append(f"validation {progress['validation_px']:.2f} px")
    parts.append(f"{progress.get('images_per_second', 0.0):,.0f} images/s")
    if 0 < (threads := int(progress.get("threads", 0))) < usable_cores():
        parts.append(f"{threads} of {usable_cores()} threads")
    parts.append(f"{format_seconds(max(0.0, progress.get('seconds_left', 0.0)))} left")
    return "  ".join(parts)


class ProgressLine:
    """Shows how far something is.

    Args:
        stream: usually stderr, so that stdout holds the result alone.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._shown = time.monotonic() if not self._live else 0.0
        self._was_last = False
        self._width = 0

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()

    def heading(self, text: str) -> None:
        """Write a line that stays, above the one that is rewritten."""
        self.clear()
        self._stream.write(printable(text) + "\n")
        self._stream.flush()

    def count(self, what: str, done: int, total: int) -> None:
        """Show ``done`` of ``total``."""
        self._show(f"{what}: {done:,} of {total:,}", last=done >= total)

    def training(self, progress: Mapping[str, float]) -> None:
        """Show a worker's progress message: epoch, error in pixels, images per second, time left."""
        self._show(training_text(progress), last=progress.get("epoch", 0) >= progress.get("epochs", 0))

    def listen(self, event: Event) -> bool:
        """Show how a run's training goes; never ends it."""
        if event.progress is not None:
            self.training(event.progress)
        return False

    def text(self, text: str) -> None:
        """Show any text."""
        self._show(text, last=False)

    def clear(self) -> None:
        """Make room for what is printed next."""
        if self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()
            self._width = 0

    def _show(self, text: str, last: bool) -> None:
        """Show a text if it is time: the last one at once, but only one last until something else was shown."""
        now = time.monotonic()
        due = now - self._shown >= (_LIVE_EVERY if self._live else _PLAIN_EVERY)
        if not due and not (last and not self._was_last):
            return
        self._shown, self._was_last = now, last
        if self._live:
            # A line that wraps cannot be rewritten.
            text = re.sub(r"[\n\t]", " ", plain(text))[: shutil.get_terminal_size().columns - 1]
            self._stream.write("\r" + text.ljust(self._width))
            self._width = max(self._width, len(text))
        else:
            self._stream.write(printable(text) + "\n")
        self._stream.flush()
