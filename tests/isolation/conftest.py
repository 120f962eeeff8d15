import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder that other users may enter, which pytest's own are not: what is closed is covered before the walls."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder).resolve()


@pytest.fixture
def closed_folder() -> Iterator[Path]:
    """A folder that nobody else may enter."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder).resolve()
