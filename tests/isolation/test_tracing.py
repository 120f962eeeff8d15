from pathlib import Path
from typing import Any

import pytest
from support.jobs import needs_landlock, refusal, run

from harness.isolation.tiers import Tier
from harness.isolation.tracing import Refusal, tracing


def traced(folder: Path, code: str, **settings: Any) -> list[Refusal]:
    with tracing() as refused:
        run(folder, "say(line=sys._getframe().f_lineno)\n" + code, tier=Tier.LANDLOCK, **settings)
    return refused()


def lines_after_first(folder: Path, code: str) -> dict[str, tuple[int, int]]:
    """Refused call -> (its line, counted from the first of the code; how often)."""
    start = []
    refused = traced(folder, code, on_message=lambda message: start.append(message["line"]))
    return {each.call: (int(each.place.removeprefix("probe.py:")) - start[0], each.times) for each in refused}


@needs_landlock
def test_each_refused_call_is_named_with_its_line(tmp_path: Path) -> None:
    code = """
import contextlib
for attempt in range(3):
    with contextlib.suppress(OSError):
        os.nice(1)
with contextlib.suppress(OSError):
    socket.socket()
"""

    assert lines_after_first(tmp_path, code) == {"setpriority": (5, 3), "socket": (7, 1)}


@needs_landlock
def test_a_line_is_known_in_threads_and_where_signals_are_blocked(tmp_path: Path) -> None:
    code = """
import contextlib
def start():
    with contextlib.suppress(OSError):
        subprocess.run(["true"])
thread = threading.Thread(target=start)
thread.start()
thread.join()
"""

    assert lines_after_first(tmp_path, code) == {"clone": (5, 1)}


@needs_landlock
def test_a_call_from_a_thread_without_python_has_no_line(tmp_path: Path) -> None:
    code = """
import ctypes
libc = ctypes.CDLL(None)
thread = ctypes.c_ulong()
libc.pthread_create(ctypes.byref(thread), None, libc.setsid, None)
libc.pthread_join(thread, None)
"""

    assert traced(tmp_path, code) == [Refusal("setsid", "", 1)]


@needs_landlock
@pytest.mark.parametrize(("attack", "answer"), [("socket.socket()", "EPERM"), ("system(999)", "ENOSYS")])
def test_answers_are_those_of_the_filter(tmp_path: Path, attack: str, answer: str) -> None:
    with tracing() as refused:
        assert refusal(tmp_path, attack) == answer
    assert [each.times for each in refused()] == [1]


@needs_landlock
def test_a_traced_worker_says_so_and_what_it_sends_comes_through(tmp_path: Path) -> None:
    with tracing() as refused:
        result = run(
            tmp_path, "say(kind='refused', call='a lie', place='x.py:1', times=1); say(done=True)", tier=Tier.LANDLOCK
        )

    assert result.outcome.held.endswith("seccomp (traced)")
    assert result.messages == [{"done": True}]
    assert refused() == [Refusal("a lie", "x.py:1", 1)]  # its own to spoil


@needs_landlock
def test_without_a_trace_there_is_none(tmp_path: Path) -> None:
    with tracing() as refused:
        pass
    result = run(tmp_path, "socket.socket()", tier=Tier.LANDLOCK)

    assert "traced" not in result.outcome.held and refused() == []
