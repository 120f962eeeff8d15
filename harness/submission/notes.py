"""Notes: what a submission's author should know although nothing failed, a sentence each, few and short."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TextIO

from harness.learning.source_lines import described
from harness.text import one_line

MOST_NOTES = 20
LONGEST_NOTE = 300
"""Characters."""
_CUT = " ..."


def bounded(notes: Sequence[str]) -> list[str]:
    """The first notes, each on one line and not too long; the last says where the others are."""
    short = [one_line(note) for note in notes]
    short = [note if len(note) <= LONGEST_NOTE else note[: LONGEST_NOTE - len(_CUT)] + _CUT for note in short]
    if len(short) < MOST_NOTES:
        return short
    return [*short[: MOST_NOTES - 1], "there are more, which stand in what it printed"]


@contextmanager
def heard_warnings(folder: Path) -> Iterator[list[str]]:
    """Hear the warnings that lines of a submission's folder cause; they are still printed.

    Those that a library causes while it is imported are left out. Deprecations are heard where the submission's own
    lines use what is deprecated, as Python shows them for a script.

    Yields:
        a list that grows: ``warning: my_model.py, line 12: the message``, each once, up to ``MOST_NOTES``.
    """
    heard: list[str] = []
    with warnings.catch_warnings():
        printed = warnings.showwarning

        def hear(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            place = _cause(folder)
            note = f"warning: {place}: {message}"
            if place is not None and note not in heard and len(heard) < MOST_NOTES:
                heard.append(note)
            printed(message, category, filename, lineno, file, line)

        warnings.showwarning = hear
        own = "|".join(re.escape(each.stem) for each in sorted(folder.glob("*")) if each.suffix in (".py", ""))
        for category in (DeprecationWarning, PendingDeprecationWarning):
            warnings.filterwarnings("default", category=category, module=rf"({own})(\.|$)")
        yield heard


def _cause(folder: Path) -> str | None:
    """The submission's line that is being run, as far as it is not importing a library."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__") != "importlib._bootstrap":
        file = Path(frame.f_code.co_filename)
        if folder in file.parents:
            return described(file, frame.f_lineno, frame.f_code.co_name, folder)
        frame = frame.f_back
    return None
