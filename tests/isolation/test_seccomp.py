import errno
import fcntl
import os
import platform
import re
import signal
import struct
from pathlib import Path
from typing import Any

import pytest
from support.jobs import needs_landlock, refusal, run

from harness.isolation import policy, seccomp, syscalls
from harness.isolation.limits import Limits
from harness.isolation.tiers import Tier

MACHINE = platform.machine()
LISTED = policy.ALLOWED | policy.PRETENDED | policy.UNSUPPORTED_HERE | set(policy.rules(1, cuda=False))
SIGNALLED = {"uretprobe", "uprobe"}  # The kernel itself ends who calls these, whatever a filter says.
REMAINING = {
    name: number
    for name, number in syscalls.numbers(syscalls.NUMBERS, MACHINE).items()
    if name not in LISTED | SIGNALLED
}
HEADERS = Path("/usr/include/asm-generic/unistd.h")


def number(name: str) -> int:
    return syscalls.numbers([name], MACHINE)[name]


def answers(calls: dict[str, int], folder: Path) -> dict[str, str]:
    """What a worker meets that makes these calls, with arguments that make no sense to the kernel."""
    result = run(
        folder,
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
    return {message["call"]: message["met"] for message in result.messages}


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
    "cores of its own": "os.sched_setaffinity(0, {0})",
    "another scheduling": "os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))",
    "a session of its own": "os.setsid()",
    "a lease": "import fcntl; fcntl.fcntl(os.open(os.__file__, os.O_RDONLY), fcntl.F_SETLEASE, fcntl.F_RDLCK)",
    "word of changes": "import fcntl; fcntl.fcntl(os.open('.', os.O_RDONLY), fcntl.F_NOTIFY, fcntl.DN_CREATE)",
    "a larger pipe": "import fcntl; fcntl.fcntl(os.pipe()[1], 1031, 2**20)",
    "blocks shared by two files": "import fcntl; fcntl.ioctl(os.open('mine', os.O_RDWR | os.O_CREAT), 0x40049409, 0)",
    "signals for a pipe's reader": "import fcntl; fcntl.ioctl(os.pipe()[0], 0x5452, b'1234')",
    "a terminal's input": "import fcntl; fcntl.ioctl(0, 0x5412, b'1')",
    "huge pages": "import mmap; mmap.mmap(-1, 2**21, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40000)",
    "locked pages": "import mmap; mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x2000)",
    "shared memory": "import mmap; mmap.mmap(-1, 4096, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)",
    "pages shared with strangers": "import mmap; mmap.mmap(-1, 4096, mmap.MAP_PRIVATE).madvise(12)",
    "others' pages evicted": "import mmap; mmap.mmap(-1, 4096, mmap.MAP_PRIVATE).madvise(21)",
    "a filter of its own": f"system({number('prctl')}, 22, 2, 0, 0, 0)",
    "to be traced by anybody": f"system({number('prctl')}, 0x59616D61, -1, 0, 0, 0)",
    "descriptors of its own": f"system({number('close_range')}, 1000, 1000, 2)",
    "a thread with descriptors of its own": f"system({number('clone')}, 0x3D0F00 & ~0x400, 0, 0, 0, 0)",
    "a thread with folders of its own": f"system({number('clone')}, 0x3D0F00 | 0x20000, 0, 0, 0, 0)",
    "a pipe of notices": f"system({number('pipe2')}, 0, 0x80)",
    "signals by way of a pipe": "import fcntl; fcntl.fcntl(os.pipe()[0], fcntl.F_SETOWN, os.getppid())",
    "signals by way of ioctl": "import fcntl; fcntl.ioctl(os.pipe()[0], 0x8901, b'1234')",
    "huge pages that nobody counts": f"system({number('prctl')}, 41, 0, 0, 0, 0)",
    "to outlive the parent": f"system({number('prctl')}, 1, 0, 0, 0, 0)",
    "a new process without a thread": f"system({number('clone')}, 17, 0, 0, 0, 0)",
    "to truncate a file of its own": "open('mine', 'w').close(); os.truncate('mine', 0)",
}


@needs_landlock
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_the_network_and_other_processes_are_refused(tmp_path: Path, attack: str) -> None:
    assert refusal(tmp_path, attack) == "EPERM"


@needs_landlock
def test_every_call_that_is_not_listed_is_refused(tmp_path: Path) -> None:
    met = answers(REMAINING, tmp_path)

    absent = {name for name, number in REMAINING.items() if name in policy.ABSENT or number >= policy.FIRST_ABSENT}
    assert met == {name: "ENOSYS" if name in absent else "EPERM" for name in REMAINING}
    assert met.keys() >= {"execve", "socket", "io_setup", "landlock_add_rule", "sched_setaffinity"}


@needs_landlock
def test_what_is_pretended_succeeds_and_does_nothing(tmp_path: Path) -> None:
    calls = syscalls.numbers(policy.PRETENDED, MACHINE)

    assert answers(calls, tmp_path) == dict.fromkeys(calls, "none")


@needs_landlock
def test_disk_is_never_reserved_at_once_and_a_library_writes_instead(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        f"""
        file = os.open("mine", os.O_RDWR | os.O_CREAT)
        try:
            system({number("fallocate")}, file, 0, 0, 65536)
        except OSError as error:
            os.posix_fallocate(file, 0, 65536)
            say(met=errno.errorcode[error.errno], size=os.fstat(file).st_size)
        """,
        tier=Tier.LANDLOCK,
    )

    assert result.told == {"met": errno.errorcode[errno.EOPNOTSUPP], "size": 65536}


@needs_landlock
@pytest.mark.parametrize("number", [policy.FIRST_ABSENT - 1, 469 + 1, 999])
def test_a_number_that_no_call_has_is_unknown(tmp_path: Path, number: int) -> None:
    assert refusal(tmp_path, f"system({number}, 0, 0, 0)") == "ENOSYS"


@needs_landlock
def test_a_lock_on_a_library_is_not_seen_by_others(tmp_path: Path) -> None:
    seen = []

    def try_to_lock(message: dict[str, Any]) -> None:
        with Path(os.__file__).open("rb") as library:
            fcntl.flock(library, fcntl.LOCK_EX | fcntl.LOCK_NB)
            lock = fcntl.fcntl(library, fcntl.F_GETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
        seen.append((message["locked"], struct.unpack_from("h", lock)[0]))

    run(
        tmp_path,
        """
        import fcntl
        library = open(os.__file__)
        fcntl.flock(library, fcntl.LOCK_EX)
        fcntl.lockf(library, fcntl.LOCK_SH)
        say(locked=True)
        time.sleep(1)
        """,
        tier=Tier.LANDLOCK,
        on_message=try_to_lock,
    )

    assert seen == [(True, fcntl.F_UNLCK)]


@needs_landlock
@pytest.mark.skipif(MACHINE != "x86_64", reason="x32 is a way into x86-64 kernels")
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
def test_torch_computes_on_all_cores_though_it_may_not_choose_among_them(tmp_path: Path) -> None:
    limits = Limits(seconds=100, cores=2)

    result = run(tmp_path, "import torch; say(threads=torch.get_num_threads())", tier=Tier.LANDLOCK, limits=limits)

    assert result.told == {"threads": 2}


@needs_landlock
def test_permissions_stay_as_they_are(tmp_path: Path) -> None:
    answers = tmp_path / "answers.txt"
    answers.write_text("47.5")
    answers.chmod(0o600)

    assert refusal(tmp_path, f"os.chmod({str(answers)!r}, 0o777)") == "none"
    assert answers.stat().st_mode & 0o777 == 0o600


@needs_landlock
def test_signals_that_wait_are_few(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN])
        for _ in range(2000):
            os.kill(os.getpid(), signal.SIGRTMIN)
        say(waiting=Path("/proc/self/status").read_text().split("SigQ:")[1].split("/")[0].strip())
        """,
        tier=Tier.LANDLOCK,
    )

    assert int(result.told["waiting"]) <= 256


@pytest.mark.parametrize("machine", syscalls.ARCHITECTURES)
@pytest.mark.parametrize("cuda", [False, True])
@pytest.mark.parametrize("listener", [None, 9])
def test_every_jump_stays_inside_the_program(machine: str, cuda: bool, listener: int | None) -> None:
    program = seccomp.assemble(machine, os.getpid(), cuda, listener)

    targets = [
        at + 1 + (value if code == seccomp._JUMP else max(yes, no))
        for at, (code, yes, no, value) in enumerate(program[:-1])
        if code != seccomp._RETURN
    ]
    assert max(targets) == len(program) - 1 < 4096  # the kernel's BPF_MAXINSNS


def decide(program: seccomp.Program, audit: int, number: int, *arguments: int) -> int:
    """What a filter returns for a system call: the kernel's machine in a few lines."""
    words = {0: number, 4: audit} | {16 + 8 * place: word & 0xFFFFFFFF for place, word in enumerate(arguments)}
    at = held = 0
    while True:
        code, yes, no, value = program[at]
        at += 1
        if code == seccomp._LOAD:
            held = words[value]
        elif code == seccomp._AND:
            held &= value
        elif code == seccomp._JUMP:
            at += value
        elif code == seccomp._RETURN:
            return value
        else:
            at += yes if (held == value if code == seccomp._JUMP_EQUAL else held >= value) else no


ALLOWED, REFUSED, UNKNOWN, KILLED = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
THREAD, PROCESS, SHARED, NVIDIA = 0x3D0F00, 17, 0x21, 0xC020462A


@pytest.mark.parametrize("machine", syscalls.ARCHITECTURES)
@pytest.mark.parametrize(
    ("call", "arguments", "without", "with_cuda"),
    [
        ("read", (0,), ALLOWED, ALLOWED),
        ("clone", (THREAD,), ALLOWED, ALLOWED),
        ("clone", (PROCESS,), REFUSED, REFUSED),
        ("clone3", (), UNKNOWN, UNKNOWN),
        ("socket", (1,), REFUSED, REFUSED),
        ("kill", (77,), ALLOWED, ALLOWED),
        ("kill", (78,), REFUSED, REFUSED),
        ("openat", (0, 0, 0o1000), REFUSED, REFUSED),
        ("openat", (0, 0, 0o1001), ALLOWED, ALLOWED),
        ("fcntl", (0, 1024, 0), REFUSED, REFUSED),
        ("fcntl", (0, 6, 0), 0x00050000, 0x00050000),
        ("mmap", (0, 0, 0, SHARED), REFUSED, ALLOWED),
        ("mmap", (0, 0, 0, 0x22), ALLOWED, ALLOWED),
        ("mmap", (0, 0, 0, SHARED | 0x40000), REFUSED, REFUSED),
        ("ioctl", (0, NVIDIA), REFUSED, ALLOWED),
        ("ioctl", (0, 0x30000001), REFUSED, ALLOWED),  # nvidia-uvm's first
        ("ioctl", (0, 0x5412), REFUSED, REFUSED),
        ("ioctl", (0, 0x40086602), REFUSED, REFUSED),
        ("eventfd2", (0, 0), ALLOWED, ALLOWED),
    ],
)
def test_both_architectures_decide_alike(
    machine: str, call: str, arguments: tuple[int, ...], without: int, with_cuda: int
) -> None:
    audit = syscalls.ARCHITECTURES[machine].audit
    number = syscalls.numbers([call], machine)[call]

    for cuda, expected in ((False, without), (True, with_cuda)):
        assert decide(seccomp.assemble(machine, 77, cuda), audit, number, *arguments, 0, 0, 0) == expected


def test_another_architecture_is_killed() -> None:
    assert decide(seccomp.assemble("x86_64", 1, False), 0x40000003, 11) == KILLED


@pytest.mark.skipif(not HEADERS.exists(), reason="the kernel's headers are not installed")
def test_the_numbers_on_aarch64_are_the_kernels() -> None:
    lines = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)\n", HEADERS.read_text())
    theirs = {{"fstatat": "newfstatat"}.get(name, name): int(number) for name, number in lines}
    ours = syscalls.numbers(syscalls.NUMBERS, "aarch64")

    assert {name: theirs[name] for name in ours if name in theirs} == {n: ours[n] for n in ours if n in theirs}
    assert {name for name in ours if name not in theirs and ours[name] < 424} == set()


@pytest.mark.skipif(MACHINE != "x86_64" or not HEADERS.exists(), reason="needs the kernel's headers for x86-64")
def test_the_numbers_on_x86_64_are_the_kernels() -> None:
    header = next(Path("/usr/include").glob("**/asm/unistd_64.h"))
    theirs = {name: int(number) for name, number in re.findall(r"#define __NR_(\w+) (\d+)", header.read_text())}

    assert {name: number(name) for name in theirs} == theirs
