"""What the commands share: the parser, types of arguments, and how an error is reported."""

from __future__ import annotations

import argparse
import io
import math
import os
import re
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from harness.errors import HarnessError, UsageError
from harness.text import printable
from harness.units import parse_bytes, parse_seconds

INTERRUPTED, CLOSED_PIPE = 130, 141


class Parser(argparse.ArgumentParser):
    """An argument parser whose help ends in examples, and whose errors are not the submission's fault (exit 2)."""

    def __init__(self, *, examples: str, **options: Any) -> None:
        super().__init__(**options, formatter_class=argparse.RawDescriptionHelpFormatter)
        self.epilog = "examples:\n" + examples.strip("\n")
        self._intermixed = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse; options may stand anywhere, also between arguments that may be repeated."""
        words = sys.argv[1:] if args is None else list(args)
        # parse_known_intermixed_args does this, and calls this method again to do it. It does not work on a parser that
        # has subcommands, and it loses a "--" on the way.
        if self._intermixed or self._subparsers is not None or "--" in words:
            return super().parse_known_args(words, namespace)
        self._intermixed = True
        try:
            return self.parse_known_intermixed_args(words, namespace)
        finally:
            self._intermixed = False

    def error(self, message: str) -> NoReturn:
        """Print the usage and leave with the exit code of a usage error."""
        self.print_usage(sys.stderr)
        self.exit(UsageError.exit_code, f"{self.prog}: error: {message}\n")


class Version(argparse.Action):
    """--version: looked up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        """Print it and leave."""
        from importlib.metadata import version

        print(f"{parser.prog} {version('facial-keypoint-harness')}")
        parser.exit()


def run(parser: Parser, argv: list[str] | None) -> int:
    """Parse, call the command's ``run`` and turn an error into a sentence and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # names of files need not be text that it can write
    arguments = parser.parse_args(argv)
    try:
        with _unwound_by_signals():
            code: int = arguments.run(arguments)
        if sys.stdout is not None:  # it may have been closed
            sys.stdout.flush()
    except KeyboardInterrupt:
        say("interrupted; nothing was recorded")
        return INTERRUPTED
    except BrokenPipeError:
        _leave_pipe()
        return CLOSED_PIPE
    except Exception as error:
        return report_error(error)
    return code


@contextmanager
def _unwound_by_signals() -> Iterator[None]:
    """Have TERM, and HUP as a terminal is closed, end a command like Ctrl-C, so that it stops and clears away its runs.

    One that is ignored, as under nohup, stays so.
    """

    def end(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    before = {}
    if threading.current_thread() is threading.main_thread():  # no other may set a handler
        names = [each for each in ("SIGTERM", "SIGHUP") if hasattr(signal, each)]  # Windows has no HUP
        before = {signal.Signals[each]: signal.getsignal(signal.Signals[each]) for each in names}
    try:
        for number, handler in before.items():
            if handler is signal.SIG_DFL:
                signal.signal(number, end)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def report_error(error: Exception, about: str = "") -> int:
    """Say what went wrong, in a sentence; returns the exit code.

    Args:
        error: one of `harness.errors`, or any other, which is a fault of the harness.
        about: what it happened to, for a fault of the harness.
    """
    if isinstance(error, HarnessError):
        say(f"error: {error}")
        return error.exit_code
    say("".join(traceback.format_exception(error)))
    say(f"error: {about}{': ' if about else ''}the harness failed ({type(error).__name__}); please report it")
    return HarnessError.exit_code


def show(text: str) -> None:
    """Print to stdout, whose reader may have gone, as `head` does; what else there is to do goes on."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        _leave_pipe()


def _leave_pipe() -> None:
    # Python would complain again when it flushes stdout at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(text: str) -> None:
    """Print to stderr. The words may be a submission's own, so they are made harmless."""
    print(printable(text), file=sys.stderr)


def duration(text: str) -> float:
    """An argument such as ``30m``, in seconds."""
    try:
        return parse_seconds(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def size(text: str) -> int:
    """An argument such as ``8g``, in bytes."""
    try:
        return parse_bytes(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def device(text: str) -> str:
    """An argument that names a device. harness.learning.devices knows the names too, but would import torch here."""
    if not re.fullmatch("auto|cpu|mps|cuda(:[0-9]+)?", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a device; choose auto, cpu, mps, cuda, or cuda:1 and so on")
    return text


def whole(text: str) -> int:
    """An argument that counts from 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def share(text: str) -> float:
    """An argument that is a share of the training faces, at most what a recipe may keep for validation."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= 0.9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share of at most 0.9, such as 0.2")
    return value
