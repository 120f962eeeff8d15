"""Text files of others, read whole."""

from __future__ import annotations

from pathlib import Path

from harness.errors import DataError
from harness.files import read_regular


def read_text(file: Path, most: int) -> str:
    """The text of a file of at most so many bytes, without a byte order mark.

    Raises:
        DataError: it cannot be read, is longer, or is not UTF-8.
    """
    try:
        return read_regular(file, most).decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror}; check that it is the right file") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: is not text (byte {error.start} is not UTF-8); save it as UTF-8") from error
