"""Charts as SVG: small functions from numbers to markup, without a script.

Colours come from the style sheet of the page by class, so that one drawing does for light, dark and paper. Lines differ
in their dashes too, and every chart has a title and a description for readers who do not see it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup, escape

_WIDTH, _HEIGHT = 400, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 50, 12, 26, 42
_LARGEST = 1e12
_LOG_FROM = 8
"""A scale is logarithmic where its largest value is so many times its smallest."""

Scale = Callable[[float], float]


@dataclass(frozen=True)
class Series:
    """A line of a chart.

    Attributes:
        name: for the legend.
        points: (x, y) in order of x; the line has a gap where y is None.
        kind: 0, 1, 2 or 3: its colour and its dashes.
    """

    name: str
    points: Sequence[tuple[float, float | None]]
    kind: int = 0


@dataclass(frozen=True)
class Mark:
    """A place on the axis of x that is pointed out with an upright line."""

    at: float
    text: str


def chart(
    name: str,
    title: str,
    description: str,
    series: Sequence[Series],
    *,
    x_label: str,
    y_label: str,
    marks: Sequence[Mark] = (),
    y_from: float | None = None,
    y_to: float | None = None,
    percent: bool = False,
) -> Markup:
    """Lines over two axes, with a legend where there are several.

    Args:
        name: of the drawing on its page; its ids begin with it.
        title, description: for a screen reader.
        series: at least one point in all.
        x_label, y_label: of the axes.
        marks: places on the axis of x.
        y_from, y_to: ends of the axis of y; those of the points if None, and then logarithmic where they span much.
        percent: whether y is a share.
    """
    series = [replace(line, points=[_bounded(*point) for point in line.points]) for line in series]
    marks = [replace(mark, at=_bounded(mark.at, None)[0]) for mark in marks]
    xs = [x for line in series for x, _ in line.points] + [mark.at for mark in marks]
    ys = [y for line in series for _, y in line.points if y is not None]
    low, high = min(ys) if y_from is None else y_from, max(ys) if y_to is None else y_to
    logarithmic = y_from is None and low > 0 and low * _LOG_FROM <= high
    across = _linear(min(xs), max(xs), _LEFT, _WIDTH - _RIGHT)
    ticks = log_ticks(low, high) if logarithmic else linear_ticks(low, high)
    low, high = min(low, *ticks), max(high, *ticks)
    up = (_logarithmic if logarithmic else _linear)(low, high, _HEIGHT - _BOTTOM, _TOP)
    places = linear_ticks(min(xs), max(xs), 6)
    if all(x == int(x) for x in xs):
        places = [place for place in places if place == int(place)]
    parts = [_grid(ticks, up, percent), _x_axis(places, across, min(xs), max(xs))]
    parts += [_mark(mark, across) for mark in marks]
    parts += [_line(line, across, up) for line in series]
    parts.append(_text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 6, x_label, "label", "middle"))
    parts.append(
        Markup('<g transform="rotate(-90 10 {0})">{1}</g>').format(
            _n((_HEIGHT - _BOTTOM + _TOP) / 2), _text(10, (_HEIGHT - _BOTTOM + _TOP) / 2, y_label, "label", "middle")
        )
    )
    if len(series) > 1:
        parts.append(_legend(series))
    return picture(name, title, description, Markup("").join(parts), _WIDTH, _HEIGHT, "chart")


def bar(value: float, most: float, low: float | None = None, high: float | None = None, *, kind: str = "") -> Markup:
    """A bar for a row of a table, from 0 to ``most``, with its interval. The row says the figure, so this is silent."""
    return _bar(0.0, value, low, high, 0.0, most, kind)


def difference_bar(value: float, most: float, low: float, high: float) -> Markup:
    """A bar from the middle to the left (below 0) or the right, on an axis from -most to most."""
    kind = "" if low <= 0 <= high else ("worse" if value > 0 else "better")
    return _bar(0.0, value, low, high, -most, most, kind)


def picture(name: str, title: str, description: str, body: Markup, width: float, height: float, kind: str) -> Markup:
    """A drawing that a screen reader reads out as one picture with a title and a description."""
    return Markup(
        '<svg class="{kind}" role="img" aria-labelledby="{name}-title {name}-text" viewBox="0 0 {width} {height}">'
        '<title id="{name}-title">{title}</title><desc id="{name}-text">{text}</desc>{body}</svg>'
    ).format(kind=kind, name=name, title=title, text=description, body=body, width=_n(width), height=_n(height))


def linear_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """About ``count`` round numbers from ``low`` to ``high``."""
    if not high > low:
        return [low]
    rough = (high - low) / count
    size = 10.0 ** math.floor(math.log10(rough))
    step = next((size * each for each in (1, 2, 5) if size * each >= rough), 10 * size)
    first = math.ceil(low / step - 1e-9)
    return [round(each * step, 12) for each in range(first, math.floor(high / step + 1e-9) + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten from ``low`` to ``high``, or the powers alone where those are many."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    steps = (1, 2, 5) if last - first <= 3 else (1,)
    stride = max(1, (last - first) // 6)
    ticks = [each * 10.0**power for power in range(first, last + 1, stride) for each in steps]
    return [tick for tick in ticks if low <= tick <= high] or [low, high]


def _bounded(x: float, y: float | None) -> tuple[float, float | None]:
    """A point whose distance to others is finite; a worker may report any."""
    return max(-_LARGEST, min(_LARGEST, x)), None if y is None else max(-_LARGEST, min(_LARGEST, y))


def _linear(low: float, high: float, start: float, end: float) -> Scale:
    span = high - low
    return lambda value: start + (end - start) * ((value - low) / span if span else 0.5)


def _logarithmic(low: float, high: float, start: float, end: float) -> Scale:
    inner = _linear(math.log10(low), math.log10(high), start, end)
    return lambda value: inner(math.log10(max(value, low)))


def _grid(ticks: Sequence[float], up: Scale, percent: bool) -> Markup:
    lines = [
        Markup('<line class="grid" x1="{}" x2="{}" y1="{y}" y2="{y}"/>').format(_LEFT, _WIDTH - _RIGHT, y=_n(up(tick)))
        + _text(_LEFT - 5, up(tick) + 4, f"{tick:.0%}" if percent else f"{tick:g}", "tick", "end")
        for tick in ticks
    ]
    return Markup("").join(lines)


def _x_axis(ticks: Sequence[float], across: Scale, low: float, high: float) -> Markup:
    floor = _HEIGHT - _BOTTOM
    line = Markup('<line class="axis" x1="{}" x2="{}" y1="{y}" y2="{y}"/>').format(
        _n(across(low)), _n(across(high)), y=floor
    )
    return line + Markup("").join(_text(across(tick), floor + 15, f"{tick:g}", "tick", "middle") for tick in ticks)


def _line(series: Series, across: Scale, up: Scale) -> Markup:
    parts = []
    for piece in _pieces(series.points):
        places = [(across(x), up(y)) for x, y in piece]
        if len(places) == 1:
            (x, y), *_ = places
            parts.append(Markup('<circle class="dot s{}" cx="{}" cy="{}" r="3"/>').format(series.kind, _n(x), _n(y)))
        else:
            path = " ".join(f"{_n(x)},{_n(y)}" for x, y in places)
            parts.append(Markup('<polyline class="line s{}" points="{}"/>').format(series.kind, path))
    return Markup("").join(parts)


def _pieces(points: Sequence[tuple[float, float | None]]) -> Iterator[list[tuple[float, float]]]:
    """The parts of a line between its gaps."""
    piece: list[tuple[float, float]] = []
    for x, y in points:
        if y is not None:
            piece.append((x, y))
        elif piece:
            yield piece
            piece = []
    if piece:
        yield piece


def _mark(mark: Mark, across: Scale) -> Markup:
    x = across(mark.at)
    side, anchor = (-4, "end") if x > _WIDTH * 0.6 else (4, "start")
    line = Markup('<line class="mark" x1="{x}" x2="{x}" y1="{}" y2="{}"/>').format(_TOP, _HEIGHT - _BOTTOM, x=_n(x))
    return line + _text(x + side, _HEIGHT - _BOTTOM - 6, mark.text, "tick", anchor)


def _legend(series: Sequence[Series]) -> Markup:
    """A row above the lines."""
    width = (_WIDTH - _LEFT - _RIGHT) / len(series)
    entries = []
    for column, line in enumerate(series):
        x = _LEFT + column * width
        swatch = Markup('<line class="line s{}" x1="{}" x2="{}" y1="10" y2="10"/>')
        entries.append(swatch.format(line.kind, _n(x), _n(x + 26)) + _text(x + 32, 14, line.name, "tick", "start"))
    return Markup("").join(entries)


def _bar(
    start: float, end: float, low: float | None, high: float | None, first: float, last: float, kind: str
) -> Markup:
    scale = _linear(first, last, 0, 120)

    def place(value: float) -> float:
        return min(120.0, max(0.0, scale(value)))

    left, right = sorted((place(start), place(end)))
    body = Markup('<rect x="{}" y="3" width="{}" height="10"/>').format(_n(left), _n(max(right - left, 0.5)))
    if low is not None and high is not None:
        body += Markup('<path class="interval" d="M{a} 8H{b}M{a} 5v6M{b} 5v6"/>').format(
            a=_n(place(low)), b=_n(place(high))
        )
    if first < 0:
        body += Markup('<line class="axis" x1="{x}" x2="{x}" y1="0" y2="16"/>').format(x=_n(scale(0)))
    return Markup('<svg class="bar {}" aria-hidden="true" viewBox="0 0 120 16">{}</svg>').format(kind, body)


def _text(x: float, y: float, words: str, kind: str, anchor: str) -> Markup:
    return Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>').format(
        kind, _n(x), _n(y), anchor, escape(words)
    )


def _n(value: float) -> str:
    """A coordinate in as few characters as it takes."""
    return f"{value:.1f}".removesuffix(".0")
