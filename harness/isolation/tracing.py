"""Traces which system calls a worker is refused, and where its code makes them.

In a trace the filter hands every call that it does not allow to a listener: a thread of the worker's supervisor. That
has the calling thread write down where it is, answers as the filter would have, and tells the grader. Both processes
need the standard library only. For a competitor's own eyes: a trace decides nothing.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import faulthandler
import fcntl
import json
import os
import re
import select
import signal
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.isolation import seccomp
from harness.isolation.pipes import Message
from harness.isolation.policy import UNKNOWN, answer
from harness.isolation.syscalls import name_of

_RECEIVE, _SEND = 0xC0502100, 0xC0182101  # SECCOMP_IOCTL_NOTIF_RECV and _SEND
_CALL, _REPLY = struct.Struct("=QIIi60x"), struct.Struct("=QqiI")  # struct seccomp_notif and seccomp_notif_resp
_MOST = 5_000
_PATIENCE = (
    0.3  # Seconds for a thread to write down where it is; one that blocks signals, or is not Python's, does not.
)
_LINE = re.compile(r'File "([^"]+)", line (\d+) in')


@dataclass(frozen=True)
class Refusal:
    """A call that a submission made and was refused.

    Attributes:
        call: its name.
        place: the line of the submission that led to it, as ``file.py:12``; empty where none is known.
        times: how often.
    """

    call: str
    place: str
    times: int


_traces: list[dict[tuple[str, str], Refusal]] = []
"""What is collected at this moment: nothing, or one trace."""


@contextlib.contextmanager
def tracing() -> Iterator[Callable[[], list[Refusal]]]:
    """Have every worker that is started meanwhile traced; gives a function that says what was refused so far."""
    found: dict[tuple[str, str], Refusal] = {}
    _traces.append(found)
    try:
        yield lambda: sorted(found.values(), key=lambda refusal: (not refusal.place, -refusal.times, refusal.call))
    finally:
        _traces.remove(found)


def is_wanted() -> bool:
    """Whether workers are to be traced."""
    return bool(_traces)


def overhearing(on_message: Callable[[Message], None]) -> Callable[[Message], None]:
    """Take in what a worker says of refusals, on the way to ``on_message``. The worker may have forged it."""

    def hear(message: Message) -> None:
        call, place, times = (message.get(key) for key in ("call", "place", "times"))
        if message.get("kind") != "refused":
            on_message(message)
        elif isinstance(call, str) and isinstance(place, str) and isinstance(times, int):
            for found in _traces:
                if len(found) < _MOST:
                    found[call, place] = Refusal(call[:50], place[:200], times)

    return hear if _traces else on_message


class Trace:
    """Both ends of one worker's trace: made before worker and supervisor part, then used by each.

    Args:
        folder: where the submission's files are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._theirs, self._ours = socket.socketpair()
        self._places, self._written = os.pipe()
        self._waiting: dict[int, tuple[int, int, float]] = {}
        self._times: Counter[tuple[str, str]] = Counter()

    def restrict(self, *, cuda: bool) -> None:
        """In the worker: do as ``seccomp.restrict``, with the supervisor for a listener."""
        self._ours.close()
        faulthandler.register(signal.SIGRTMAX, file=self._written, all_threads=False)
        listener = seccomp.restrict(cuda=cuda, listener=self._theirs.fileno())
        assert listener is not None
        socket.send_fds(self._theirs, [b"-"], [listener])
        os.close(listener)
        self._theirs.close()

    def listen(self, worker: int, channel: int) -> None:
        """In the supervisor: start the thread that answers this worker's calls and reports them on the channel."""
        self._theirs.close()
        self._worker, self._channel = worker, channel
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """In the supervisor, when the worker has ended: wait for the last report."""
        self._thread.join(1)

    def _listen(self) -> None:
        _, sent, _, _ = socket.recv_fds(self._ours, 1, 1)
        if not sent:
            return  # the worker could not be locked in
        listener = sent[0]
        poll = select.poll()
        poll.register(listener, select.POLLIN)
        while True:
            for _, events in poll.poll(1000 * _PATIENCE if self._waiting else None):
                if not events & select.POLLIN:
                    return  # the worker has ended
                with contextlib.suppress(FileNotFoundError):  # its thread was interrupted meanwhile
                    self._hear(listener)
            for thread, (call, number, since) in list(self._waiting.items()):
                if time.monotonic() - since > _PATIENCE:
                    self._settle(listener, thread, call, number)

    def _hear(self, listener: int) -> None:
        """Take a call. Its thread is first interrupted to write down where it is, and then makes the call again."""
        call, thread, _, number = _CALL.unpack(fcntl.ioctl(listener, _RECEIVE, bytes(_CALL.size)))
        if thread in self._waiting:
            self._settle(listener, thread, call, number)
        else:
            self._place()
            self._waiting[thread] = (call, number, time.monotonic())
            ctypes.CDLL(None).tgkill(self._worker, thread, int(signal.SIGRTMAX))

    def _settle(self, listener: int, thread: int, call: int, number: int) -> None:
        """Answer a call as the filter would have, and report it."""
        del self._waiting[thread]
        name = name_of(number, os.uname().machine)
        error = errno.ENOSYS if answer(name, number) == UNKNOWN else errno.EPERM
        place = self._place()
        if place is not None:
            self._report(name, place)
        with contextlib.suppress(OSError):
            fcntl.ioctl(listener, _SEND, _REPLY.pack(call, 0, -error, 0))
        if place is None:  # while it starts a process a thread blocks signals, and soon it no longer does
            time.sleep(0.05)
            self._report(name, self._place() or "")

    def _report(self, name: str, place: str) -> None:
        self._times[name, place] += 1
        if self._times.total() <= _MOST:
            message = {"kind": "refused", "call": name, "place": place, "times": self._times[name, place]}
            os.write(self._channel, json.dumps(message).encode() + b"\n")

    def _place(self) -> str | None:
        """The innermost line of the submission in what a thread has written down; None where it has written nothing."""
        if not select.select([self._places], [], [], 0)[0]:
            return None
        for file, line in _LINE.findall(os.read(self._places, 2**16).decode("utf-8", "replace")):
            if Path(file).is_relative_to(self._folder):
                return f"{Path(file).name}:{line}"
        return ""
