"""The Python of a submission as a syntax tree, which is read without running any of it."""

from __future__ import annotations

import ast
import warnings

LONGEST_SOURCE = 2**18
"""Bytes of a Python file; a syntax tree takes a thousand times as many."""

BUILDERS = ("build_model", "build_estimator")
"""The functions of which a submission defines one."""


def parsed(text: bytes | str) -> ast.Module | None:
    """The syntax tree; None where it does not parse."""
    try:
        with warnings.catch_warnings():  # about its style, which would be printed
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
