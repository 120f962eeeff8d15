"""Whatever stands in a file of somebody else, its reader takes it or says what is wrong with it, and soon.

``tests/bench/fuzz.py`` does the same with hundreds of thousands of inputs.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from support.readers import ALL

INPUTS = 120


@pytest.mark.timeout(60)
@pytest.mark.parametrize("make", ALL, ids=lambda make: make.__name__.strip("_"))
def test_a_reader_meets_anything_with_a_sentence(make, tmp_path: Path) -> None:
    reader = make(tmp_path)

    taken = [reader.meet(reader.input(number)) for number in range(INPUTS)]

    assert taken[0], "the first is whole"
    assert not all(taken)
