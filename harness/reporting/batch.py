"""Many gradings at once: their progress, and a summary."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import TextIO

from harness.benchmark import BANDS
from harness.grading.entry import Entry
from harness.reporting.progress import ProgressLine, training_text
from harness.runs.worker_log import Event
from harness.submission.source import Source
from harness.text import one_line
from harness.units import format_seconds


class BatchDisplay:
    """A progress line for all gradings of a command, and a summary at its end. It may be fed from several threads.

    Args:
        stream: usually stderr.
        total: how many gradings there are.
    """

    def __init__(self, stream: TextIO, total: int) -> None:
        self._line, self._total = ProgressLine(stream), total
        self._running: dict[str, str] = {}
        self._done = 0
        self._began = time.monotonic()
        self._lock = threading.Lock()

    def __enter__(self) -> BatchDisplay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._line.__exit__(kind, error, trace)

    def listen(self, source: Source, event: Event) -> bool:
        """Show the progress of a run; never ends one."""
        with self._lock:
            if self._total == 1:
                if event.progress is not None:
                    self._line.training(event.progress)
                return False
            self._running[source.label] = training_text(event.progress) if event.progress else "training"
            running = "; ".join(f"{one_line(label)}: {text}" for label, text in self._running.items())
            self._line.text(f"{self._done} of {self._total} done; {running}")
            return False

    def trained(self, source: Source, done: int, of: int) -> None:
        """Note that one of several trainings of a submission has ended."""
        with self._lock:
            self._line.heading(f"{one_line(source.label)}: training {done} of {of} is done")

    def finished(self, label: str) -> None:
        """Note that a grading has ended, and clear the line for what is printed about it."""
        with self._lock:
            self._done += 1
            self._running.pop(label, None)
            self._line.clear()

    def summary(self, entries: Sequence[Entry]) -> str:
        """How many were graded, with which bands, and how many failed."""
        graded = [entry for entry in entries if entry.status == "graded"]
        bands = Counter(entry.band for entry in graded)
        earned = [f"{bands[band]} {band.replace('_', ' ')}" for band in reversed(BANDS) if bands[band]]
        earned += [f"{bands[None]} below ok"] if bands[None] else []
        parts = [f"{len(graded)} graded" + (f" ({', '.join(earned)})" if earned else "")]
        parts += [f"{len(entries) - len(graded)} failed"] if len(entries) > len(graded) else []
        parts += [f"{self._total - len(entries)} without an entry"] if len(entries) < self._total else []
        seconds = format_seconds(time.monotonic() - self._began)
        return f"\n{len(entries)} of {self._total} submissions in {seconds}: {', '.join(parts)}"
