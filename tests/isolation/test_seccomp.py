import os
import platform
import signal
from pathlib import Path

import pytest
from support.jobs import needs_landlock, refusal, run

from harness.isolation import seccomp, syscalls
from harness.isolation.tiers import Tier

X86_64 = platform.machine() == "x86_64"
TABLES = {"EPERM": syscalls.REFUSED, "ENOSYS": syscalls.UNKNOWN, "none": syscalls.WITHOUT_EFFECT}


def number(name: str) -> int | None:
    table = next(table for table in (*TABLES.values(), syscalls.BY_ARGUMENT) if name in table)
    return table[name][0 if X86_64 else 1]


ATTACKS = {
    "TCP": "socket.socket()",
    "UDP": "socket.socket(type=socket.SOCK_DGRAM)",
    "a unix socket": "socket.socket(socket.AF_UNIX)",
    "a pair of sockets": "socket.socketpair()",
    "fork": "os.fork()",
    "a program": "subprocess.run(['/bin/true'])",
    "to become a program": "os.execv(sys.executable, [sys.executable])",
    "to signal the parent": "os.kill(os.getppid(), 0)",
    "to signal the group": "os.kill(0, 0)",
    "to signal everybody": "os.kill(-1, 0)",
    "a thread of another process": f"system({number('tgkill')}, os.getppid(), os.getppid(), 0)",
    "another's limits": "import resource; resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (1, 1))",
    "another's cores": "os.sched_setaffinity(os.getppid(), {0})",
    "signals by way of a pipe": "import fcntl; fcntl.fcntl(os.pipe()[0], fcntl.F_SETOWN, os.getppid())",
    "signals by way of ioctl": "import fcntl; fcntl.ioctl(os.pipe()[0], 0x8901, b'1234')",
    "to outlive the parent": f"system({number('prctl')}, 1, 0, 0, 0, 0)",
    "a new process without a thread": f"system({number('clone')}, 17, 0, 0, 0, 0)",
    "to truncate a file of its own": "open('mine', 'w').close(); os.truncate('mine', 0)",
}


@needs_landlock
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_the_network_and_other_processes_are_refused(tmp_path: Path, attack: str) -> None:
    assert refusal(tmp_path, attack) == "EPERM"


@needs_landlock
@pytest.mark.parametrize("answer", TABLES)
def test_each_call_of_a_table_meets_its_answer(tmp_path: Path, answer: str) -> None:
    # Without arguments that make sense the kernel itself would answer EFAULT, EINVAL or EBADF to nearly all of them.
    calls = {name: at for name in TABLES[answer] if (at := number(name)) is not None}

    result = run(
        tmp_path,
        f"""
        for name, number in {calls}.items():
            try:
                system(number, -1, -1, -1, -1, -1)
                say(call=name, met="none")
            except OSError as error:
                say(call=name, met=errno.errorcode[error.errno])
        """,
        tier=Tier.LANDLOCK,
    )

    assert {message["call"]: message["met"] for message in result.messages} == dict.fromkeys(calls, answer)


@needs_landlock
def test_a_call_newer_than_the_tables_is_unknown(tmp_path: Path) -> None:
    assert refusal(tmp_path, f"system({syscalls.NEWEST + 1}, 0, 0, 0)") == "ENOSYS"


@needs_landlock
@pytest.mark.skipif(not X86_64, reason="x32 is a way into x86-64 kernels")
def test_foreign_numbering_is_killed(tmp_path: Path) -> None:
    result = run(tmp_path, "system(0x40000000 + 39)", tier=Tier.LANDLOCK)

    assert result.outcome.signal == signal.SIGSYS
    assert result.outcome.reason == "it made a system call that no submission may make"


@needs_landlock
def test_what_training_needs_works(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        """
        import shutil
        seen = []
        threads = [threading.Thread(target=seen.append, args=(n,)) for n in range(8)]
        [thread.start() for thread in threads], [thread.join() for thread in threads]
        Path("a").write_text("weights")
        shutil.copy2("a", "b")  # copies times and permissions too
        signal.signal(signal.SIGUSR1, lambda *_: seen.append("signal"))
        os.kill(os.getpid(), signal.SIGUSR1)
        Path("c").touch()
        say(seen=len(seen), copied=Path("b").read_text(), touched=Path("c").exists())
        """,
        tier=Tier.LANDLOCK,
    )

    assert result.told == {"seen": 9, "copied": "weights", "touched": True}


@needs_landlock
def test_permissions_stay_as_they_are(tmp_path: Path) -> None:
    answers = tmp_path / "answers.txt"
    answers.write_text("47.5")
    answers.chmod(0o600)

    assert refusal(tmp_path, f"os.chmod({str(answers)!r}, 0o777)") == "none"
    assert answers.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("machine", syscalls.ARCHITECTURES)
def test_every_jump_stays_inside_the_program(machine: str) -> None:
    program = seccomp.assemble(machine, os.getpid(), cuda=False)

    targets = [at + 1 + max(yes, no) for at, (_, yes, no, _) in enumerate(program[:-1])]
    assert max(targets) == len(program) - 1 < 4096  # the kernel's BPF_MAXINSNS
