"""Explains in a sentence what the isolation refused, where a library reports only a number."""

from __future__ import annotations

import errno
import linecache
import socket
import traceback
from collections.abc import Iterator

_COMPILED = ("torch._inductor", "torch._dynamo", "triton")
_LOADER = ("torch.utils.data",)
_NETWORK = (
    "torch.distributed",
    "socket",
    "ssl",
    "http",
    "urllib",
    "asyncio",
    "requests",
    "urllib3",
    "httpx",
    "huggingface_hub",
)
_PROCESSES = ("subprocess", "multiprocessing", "concurrent.futures.process", "joblib", "pty")
_REFUSALS = (errno.EPERM, errno.EACCES, errno.ENOSYS)
_STARTS_PROCESS = ("fork", "spawn", "exec", "popen", "system(")
_REFUSED = ("permission denied", "operation not permitted")

_ADVICE = {
    "clone fork execve execveat": "it starts a process or program, and submissions have one; use threads",
    "socket socketpair connect bind listen accept accept4 sendto sendmsg sendmmsg recvfrom recvmsg": "submissions have "
    "no network; put the weights or data that it needs beside the submission",
    "sched_setaffinity sched_setscheduler sched_setparam sched_setattr setpriority ioprio_set": "the grader chooses "
    "cores and priorities; leave it out, or give a library its number of threads",
    "kill tgkill tkill prlimit64": "it concerns another process; leave it out",
    "fcntl ioctl prctl madvise mmap arch_prctl membarrier pipe2 close_range": "submissions may make this "
    "call, but not with these arguments; leave the option out",
    "epoll_create epoll_create1 sendfile copy_file_range memfd_create pkey_alloc": "not every system has it, and "
    "libraries use another way then; do likewise",
}


def explain(exception: BaseException) -> str | None:
    """What a submission tried but may not do, and what to do instead; None if it was not the isolation that refused.

    Looks at the exception, at its causes, and at the modules that they passed through.
    """
    for error in _chain(exception):
        if sentence := _explain(error, _modules(exception) | _modules(error)):
            return sentence
    return None


def advise(call: str) -> str:
    """What to do about a system call that a submission was refused."""
    otherwise = "no library of an honest submission was seen to need it; leave out what makes it"
    return next((advice for calls, advice in _ADVICE.items() if call in calls.split()), otherwise)


def _explain(error: BaseException, modules: set[str]) -> str | None:
    number = error.errno if isinstance(error, OSError) else None
    file = error.filename if isinstance(error, OSError) else None
    refused = number in _REFUSALS or any(words in str(error).lower() for words in _REFUSED)
    causes = (
        (
            number == errno.EFBIG,
            "your submission wrote a larger file than it may; keep fewer or smaller checkpoints",
        ),
        (
            number == errno.ENOSPC,
            "it wrote more than it may to disk; keep fewer or smaller checkpoints",
        ),
        (
            number == errno.EXDEV,
            f"your submission may not move {file} there; copy it, to the folder that tempfile.gettempdir() names",
        ),
        (
            number == errno.EMFILE,
            "your submission has too many files open at once; close them, or use `with open(...)`",
        ),
        (
            "can't start new thread" in str(error),
            "your submission started more threads than it may; start fewer",
        ),
        (
            _passed(modules, _COMPILED) and (refused or _is_of(error, _COMPILED)),
            "torch.compile starts a compiler, and submissions start no programs; leave torch.compile out",
        ),
        (
            isinstance(error, socket.gaierror)
            or _is_of(error, ("torch.distributed",))  # its server does not say what it was refused
            or (refused and _passed(modules, _NETWORK)),
            "your submission tried to open a network connection, and submissions have none; put the weights or data "
            "that it needs beside it",
        ),
        (
            _passed(modules, _LOADER) and _passed(modules, _PROCESSES) and refused,
            "your submission's DataLoader starts processes, and submissions have one; set num_workers=0",
        ),
        (
            refused and (_passed(modules, _PROCESSES) or (file is None and _line_starts_process(error))),
            "your submission tried to start another process or program, and submissions have one; use threads",
        ),
        (
            refused and file is not None,
            f"your submission may not open {file}; it may read its own files and the libraries, and write to the "
            "folder that tempfile.gettempdir() names",
        ),
        (
            refused,
            f"your submission asked the system for something that submissions may not do ({error}); "
            "`harness doctor --trace SUBMISSION` names the call and the line",
        ),
    )
    return next((sentence for applies, sentence in causes if applies), None)


def _chain(exception: BaseException) -> Iterator[BaseException]:
    """The exception, what caused it, what caused that; each once."""
    seen: set[int] = set()
    current: BaseException | None = exception
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def _modules(error: BaseException) -> set[str]:
    return {str(frame.f_globals.get("__name__")) for frame, _ in traceback.walk_tb(error.__traceback__)}


def _passed(modules: set[str], packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(package + ".") for module in modules for package in packages)


def _is_of(error: BaseException, packages: tuple[str, ...]) -> bool:
    return _passed({type(error).__module__}, packages)


def _line_starts_process(error: BaseException) -> bool:
    """Whether the line that raised reads like one that starts a process: ``os.fork`` leaves no other trace."""
    places = list(traceback.walk_tb(error.__traceback__))
    if not places:
        return False
    frame, line = places[-1]
    return any(word in linecache.getline(frame.f_code.co_filename, line) for word in _STARTS_PROCESS)
