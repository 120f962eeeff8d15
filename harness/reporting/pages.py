"""From templates to pages. What others wrote is escaped everywhere, unless it is a drawing or a figure of our own."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.estimates import Estimate
from harness.reporting.drawing import bar, difference_bar
from harness.reporting.markdown_text import block, cell, prose
from harness.text import one_line, printable
from harness.units import format_bytes, format_seconds


def as_html(template: str, **content: Any) -> str:
    """A page of ``templates/``."""
    return _html().get_template(template).render(content)


def as_markdown(template: str, **content: Any) -> str:
    """A text of ``templates/``; what is put into it speaks neither Markdown nor HTML, nor commands to a CI runner."""
    text = _markdown().get_template(template).render(content)
    return printable(re.sub(r"\n{3,}", "\n\n", text)).strip() + "\n"


@cache
def _html() -> Environment:
    return _environment(autoescape=True)


@cache
def _markdown() -> Environment:
    environment = _environment(autoescape=False, finalize=_in_markdown)  # it escapes what is put in
    environment.filters["fenced"] = _fenced
    return environment


def _environment(**options: Any) -> Environment:
    environment = Environment(  # noqa: S701  # one of the two escapes by itself, the other by what finalizes
        loader=PackageLoader("harness.reporting"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
        **options,
    )
    environment.filters |= {
        "px": lambda value, digits=2: Markup("{}").format(f"{value:.{digits}f}"),
        "interval": interval,
        "signed": signed,
        "percent": lambda value: Markup("{}").format(f"{value:.0%}"),
        "count": lambda value: Markup("{}").format(f"{value:,}"),
        "duration": format_seconds,
        "bytes": format_bytes,
        "spaced": lambda name: name.replace("_", " "),
        "line": one_line,
        "paragraphs": paragraphs,
    }
    environment.globals |= {"bar": bar, "difference_bar": difference_bar, "largest": max}
    return environment


def interval(estimate: Estimate, digits: int = 2) -> Markup:
    """An estimate's interval: ``1.52 to 1.70``."""
    return Markup("{} to {}").format(f"{estimate.low:.{digits}f}", f"{estimate.high:.{digits}f}")


def signed(value: float) -> Markup:
    """A difference with its sign, a true minus."""
    return Markup("{}").format(f"{value:+.2f}".replace("-", "\N{MINUS SIGN}"))


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a docstring; lines that were broken to fit are joined, those of a list or table are not."""
    parts = [part.strip("\n") for part in re.split(r"\n\s*\n", text.strip())]
    return [part if re.search(r"(?m)^(\s|[-*+|•\d])", part) else " ".join(part.split()) for part in parts if part]


def _fenced(text: str) -> Markup:
    """Text as a Markdown block of code, which is shown as it is."""
    return Markup("\n".join(block(text.strip())))  # noqa: S704


def _in_markdown(value: Any) -> Any:
    """Text of others as Markdown that may stand in a cell of a table, too."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return cell(prose(value))
