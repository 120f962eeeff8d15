import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest
from support.jobs import needs_landlock, run

from harness.errors import MachineError
from harness.isolation.limits import MIB, Limits, usable_cores
from harness.isolation.pipes import LONGEST_MESSAGE, MOST_MESSAGES, Messages
from harness.isolation.tiers import Tier


def test_a_worker_that_ends_well(tmp_path: Path) -> None:
    result = run(tmp_path, "print('hello'); print('there', file=sys.stderr); say(epoch=1, loss=0.5); say(done=True)")

    assert result.outcome.exit_code == 0
    assert result.outcome.reason is None and result.outcome.stopped is None and result.outcome.signal is None
    assert result.outcome.log_tail == "hello\nthere\n" == (tmp_path / "job" / "log.txt").read_text()
    assert result.messages == [{"epoch": 1, "loss": 0.5}, {"done": True}]


@pytest.mark.parametrize(
    ("code", "exit_code", "number", "reason"),
    [
        ("sys.exit(3)", 3, None, "it ended with exit code 3"),
        ("raise ValueError('no')", 1, None, "it ended with exit code 1"),
        ("os._exit(0)", 0, None, None),
        ("ctypes.string_at(0)", None, signal.SIGSEGV, "the interpreter crashed (segmentation fault)"),
        ("os.abort()", None, signal.SIGABRT, "the interpreter crashed (a library called abort)"),
        ("os.kill(os.getpid(), 9)", None, 9, "it was ended by signal SIGKILL, which it may have sent itself"),
    ],
)
def test_every_end_has_a_reason(
    tmp_path: Path, code: str, exit_code: int | None, number: int | None, reason: str | None
) -> None:
    outcome = run(tmp_path, code).outcome

    assert (outcome.exit_code, outcome.signal, outcome.stopped, outcome.reason) == (exit_code, number, None, reason)


REMOVED_BUT_OPEN = """
files = [open(name, "wb") for name in "abc"]
for file in files:
    os.remove(file.name)
    file.write(bytes(720 * 2**10))
    file.flush()
time.sleep(60)
"""


@pytest.mark.parametrize(
    ("code", "limits", "stopped", "reason"),
    [
        ("time.sleep(60)", Limits(seconds=0.3), "time", "past its time limit of 0.3 s"),
        ("x = b'1' * (300 * 2**20); time.sleep(60)", Limits(memory=200 * MIB), "memory", "its limit of 200 MiB"),
        ("x = bytearray(2**34)", Limits(memory=200 * MIB), "memory", "its limit of 200 MiB"),
        ("while True: print('x' * 10_000)", Limits(printed=MIB), "printed", "printed more than 1 MiB"),
        ("[Path(f'{n}').touch() for n in range(60)]; time.sleep(60)", Limits(files=50), "files", "more than 50 files"),
        ("[Path(n).write_bytes(bytes(2**20)) for n in 'abc']; time.sleep(60)", Limits(disk=2 * MIB), "disk", "2 MiB"),
        (REMOVED_BUT_OPEN, Limits(disk=2 * MIB), "disk", "wrote more than 2 MiB to disk"),
        (
            "[threading.Thread(target=time.sleep, args=(60,)).start() for n in range(30)]; time.sleep(60)",
            Limits(threads=20),
            "threads",
            "started more than 20 threads",
        ),
    ],
    ids=["time", "memory used", "memory asked for", "printed", "files", "disk", "removed files", "threads"],
)
def test_a_broken_limit_ends_it(tmp_path: Path, code: str, limits: Limits, stopped: str, reason: str) -> None:
    outcome = run(tmp_path, code, limits=limits).outcome

    assert outcome.stopped == stopped
    assert outcome.reason is not None and reason in outcome.reason


def test_what_is_printed_is_cut_but_its_end_is_kept(tmp_path: Path) -> None:
    result = run(tmp_path, "os.write(1, b'\\xff' * 20_000 + b'the end')", limits=Limits(printed=30_000))

    assert result.outcome.log_tail.endswith("\ufffdthe end")
    assert len(result.outcome.log_tail) < 10_000
    assert (tmp_path / "job" / "log.txt").stat().st_size == 20_007


def test_memory_is_measured(tmp_path: Path) -> None:
    result = run(tmp_path, "x = b'1' * (100 * 2**20); time.sleep(0.3)")

    assert 100 * MIB < result.outcome.peak_memory < 200 * MIB


def test_the_worker_sees_nothing_of_the_graders_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    monkeypatch.setenv("HARNESS_ANSWERS", "secret")
    with (tmp_path / "answers").open("w"):
        result = run(
            tmp_path,
            """
            descriptors = [n for n in range(100) if Path(f"/dev/fd/{n}").exists()]
            say(environment=dict(os.environ), descriptors=descriptors, channel=channel, input=sys.stdin.read(),
                session=os.getsid(0), folder=os.getcwd())
            """,
        )

    told = result.told
    assert "secret" not in told["environment"].values()
    assert told["descriptors"] == [0, 1, 2, told["channel"]]
    assert told["input"] == ""
    assert told["session"] != os.getsid(0)
    assert told["folder"] == told["environment"]["TMPDIR"] == str(tmp_path / "job" / "tmp")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux closes a process to others of the same user")
@pytest.mark.parametrize("file", ["environ", "mem", "maps"])
def test_the_graders_memory_is_closed_even_without_isolation(tmp_path: Path, file: str) -> None:
    result = run(
        tmp_path,
        f"""
        try:
            open("/proc/{os.getpid()}/{file}", "rb").read(1)
        except OSError as error:
            say(met=errno.errorcode[error.errno])
        """,
    )

    assert result.messages == [{"met": "EACCES"}]


DAEMON = "say(daemon=daemon()); "


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets orphans be adopted")
@pytest.mark.parametrize("then", ["", "time.sleep(60)", "os.abort()", "print('x' * 10**6)"])
def test_a_process_that_detached_itself_is_ended_with_the_worker(tmp_path: Path, then: str) -> None:
    result = run(tmp_path, DAEMON + then, limits=Limits(seconds=0.5, printed=MIB // 2))

    assert not psutil.pid_exists(result.told["daemon"])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets orphans be adopted")
def test_ending_one_job_leaves_the_other_alone(tmp_path: Path) -> None:
    results = {}

    def start(name: str, seconds: float) -> None:
        code = DAEMON + "time.sleep(1.0); say(alive=Path(f'/proc/{os.getpid()}').exists())"
        (tmp_path / name).mkdir()
        results[name] = run(tmp_path / name, code, limits=Limits(seconds=seconds))

    threads = [threading.Thread(target=start, args=job) for job in (("short", 0.4), ("long", 20))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert results["short"].outcome.stopped == "time"
    assert results["long"].outcome.exit_code == 0 and results["long"].told == {"alive": True}


def test_an_interruption_ends_the_worker_and_goes_on(tmp_path: Path) -> None:
    heard = []

    def interrupt(message: dict[str, int]) -> None:
        heard.append(message["worker"])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, "say(worker=os.getpid()); time.sleep(60)", on_message=interrupt)

    assert not psutil.pid_exists(heard[0])


class Cores:
    """One core at first, another one from then on."""

    threads = 3

    def __init__(self, first: int, then: int) -> None:
        self.first, self.then, self.asked = first, then, 0

    def now(self) -> set[int]:
        self.asked += 1
        return {self.first if self.asked == 1 else self.then}


@pytest.mark.skipif(
    sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2, reason="needs Linux and two cores to choose from"
)
@pytest.mark.parametrize("tier", [Tier.NONE, pytest.param(Tier.LANDLOCK, marks=needs_landlock)])
def test_every_thread_of_a_worker_is_kept_to_its_cores_as_they_change(tmp_path: Path, tier: Tier) -> None:
    first, then = sorted(os.sched_getaffinity(0))[:2]

    result = run(
        tmp_path,
        f"""
        other = threading.Thread(target=time.sleep, args=(5,), daemon=True)
        other.start()
        told = lambda: [sorted(os.sched_getaffinity(thread)) for thread in (0, other.native_id)]
        say(cores=told(), threads=os.environ["OMP_NUM_THREADS"])
        while told() != [[{then}], [{then}]] and other.is_alive():
            time.sleep(0.05)
        say(cores=told())
        """,
        tier=tier,
        cores=Cores(first, then),
    )

    assert result.messages == [{"cores": [[first], [first]], "threads": "3"}, {"cores": [[then], [then]]}]


@needs_landlock
@pytest.mark.skipif(usable_cores() < 2, reason="there is one core, and no other to take")
def test_threads_beyond_the_granted_cores_run_on_no_other(tmp_path: Path) -> None:
    core = min(os.sched_getaffinity(0))

    result = run(
        tmp_path,
        """
        import hashlib
        try:
            os.sched_setaffinity(0, range(os.cpu_count()))
        except PermissionError as error:
            met = errno.errorcode[error.errno]
        seen, end, libc = set(), time.monotonic() + 0.5, ctypes.CDLL(None)
        def spin():
            while time.monotonic() < end:
                hashlib.sha256(bytes(2**20))  # which leaves other threads free to run
                seen.add(libc.sched_getcpu())
        threads = [threading.Thread(target=spin) for _ in range(8)]
        [thread.start() for thread in threads], [thread.join() for thread in threads]
        say(seen=sorted(seen), met=met)
        """,
        tier=Tier.LANDLOCK,
        cores=Cores(core, core),
    )

    assert result.told == {"seen": [core], "met": "EPERM"}


def test_a_worker_without_cores_of_its_own_runs_on_all(tmp_path: Path) -> None:
    class NoCores:
        threads = 1

        def now(self) -> set[int]:
            return set()

    result = run(tmp_path, "say(cores=len(os.sched_getaffinity(0)))", cores=NoCores())

    assert result.told == {"cores": len(os.sched_getaffinity(0))}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent died")
def test_a_killed_grader_takes_its_worker_with_it(tmp_path: Path) -> None:
    grader = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, pathlib; sys.path[:0] = sys.argv[1:2]; from support import jobs; "
            "jobs.run(pathlib.Path(sys.argv[2]), 'say(worker=os.getpid()); time.sleep(60)', "
            "on_message=lambda message: print(message['worker'], flush=True))",
            str(Path(__file__).parents[1]),
            str(tmp_path),
        ],
        stdout=subprocess.PIPE,
    )
    with grader:
        assert grader.stdout is not None
        worker = psutil.Process(int(grader.stdout.readline()))
        grader.kill()

    worker.wait(10)


def test_an_interpreter_that_does_not_start_is_the_machines_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")

    with pytest.raises(MachineError, match="interpreter did not start; it said: nothing"):
        run(tmp_path, "say(a=1)")


def listen(*chunks: bytes) -> list[object]:
    heard: list[object] = []
    messages = Messages(heard.append)
    messages.feed(b'{"held": "limits"}\n')
    for chunk in chunks:
        messages.feed(chunk)
    return heard


def test_messages_may_come_in_pieces() -> None:
    assert listen(b'{"epo', b'ch": 1}\n{"epoch": 2}\n{"ep') == [{"epoch": 1}, {"epoch": 2}]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[1]",
        b"'text'",
        b"{",
        b"\xff\xfe",
        b"[" * 50_000,
        b'{"a": ' * 10_000,
        b'{"a": "' + b"x" * LONGEST_MESSAGE + b'"}',
    ],
)
def test_what_is_no_message_is_dropped(line: bytes) -> None:
    assert listen(line + b"\n", b'{"after": 1}\n') == [{"after": 1}]


@pytest.mark.parametrize("number", [b"9" * 10_000, b"9" * 19, b"1e999", b"NaN", b"-Infinity"])
def test_a_number_that_no_float_holds_becomes_none(number: bytes) -> None:
    assert listen(b'{"a": ' + number + b"}\n") == [{"a": None}]


def test_half_a_character_is_taken_out() -> None:
    assert listen(b'{"a": "\\ud800"}\n') == [{"a": ""}]


def test_an_endless_line_is_not_kept() -> None:
    assert listen(*[b"x" * 2**16] * 50, b'\n{"after": 1}\n') == [{"after": 1}]


def test_messages_beyond_the_most_are_dropped() -> None:
    assert len(listen(b"{}\n" * (MOST_MESSAGES + 10))) == MOST_MESSAGES - 1  # one was the bootstrap's


def test_numbers_that_json_does_not_have_become_none() -> None:
    heard = listen(b'{"nan": NaN, "infinite": -Infinity, "huge": 1e999, "loss": 0.5}\n')

    assert heard == [{"nan": None, "infinite": None, "huge": None, "loss": 0.5}]
    json.dumps(heard, allow_nan=False)


def test_a_second_greeting_is_only_a_message() -> None:
    assert listen(b'{"refused": "everything"}\n') == [{"refused": "everything"}]


def test_a_refusal_by_the_bootstrap_is_the_machines_fault() -> None:
    with pytest.raises(MachineError, match="no Landlock"):
        Messages(lambda _: None).feed(b'{"refused": "no Landlock"}\n')
