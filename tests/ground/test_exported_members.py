from __future__ import annotations

import pytest

import harness


@pytest.mark.parametrize("name", harness.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    assert getattr(harness, name).__doc__


def test_no_other_name_is() -> None:
    assert harness.__all__ == sorted(
        harness.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name)
    )
    with pytest.raises(AttributeError, match="no attribute 'gradient'"):
        harness.gradient  # noqa: B018
