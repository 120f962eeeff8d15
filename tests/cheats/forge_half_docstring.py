"""Has half a character in its own docstring, which the report prints: \ud800. Class: trap for the writer of entries."""

from _accomplice import Mean

EXPECT = ""  # graded; Python 3.13 cannot compile it, which is a reason too


def build_estimator(layout, image_size):
    return Mean()
