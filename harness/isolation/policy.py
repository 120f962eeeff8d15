"""Which system calls a worker may make, with which arguments, and how all others are answered.

An allowlist: what the baselines and the libraries of submissions were seen to make under strace, and its siblings that
do no more. A call comes in only if it can neither reach another process or the network, nor keep the kernel's memory
beyond what the number of open files bounds, nor take what all processes of the machine share.
"""

from __future__ import annotations

import mmap
from typing import NamedTuple

ALLOW, REFUSE, UNKNOWN, UNSUPPORTED, PRETEND, GO_ON = "allow", "refuse", "unknown", "unsupported", "pretend", "go on"
"""Answers: the kernel's own; EPERM; ENOSYS; EOPNOTSUPP; done, without effect; ask the next check."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


ALLOWED = _names(
    # the content and names of files, which Landlock governs
    "close creat read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek ftruncate fsync "
    "fdatasync stat fstat lstat newfstatat statx statfs fstatfs access faccessat faccessat2 readlink readlinkat "
    "getdents getdents64 getcwd chdir fchdir mkdir mkdirat rmdir rename renameat renameat2 link linkat symlink "
    "symlinkat unlink unlinkat umask getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr getxattrat "
    "listxattrat dup dup2 dup3 pipe eventfd2 poll ppoll select pselect6 "
    # memory
    "brk mprotect munmap mremap msync get_mempolicy set_mempolicy mbind "
    # threads
    "futex set_robust_list rseq gettid exit exit_group restart_syscall wait4 waitid sched_yield getcpu "
    "sched_getaffinity sched_getparam sched_getscheduler sched_getattr sched_get_priority_max sched_get_priority_min "
    "sched_rr_get_interval "
    # signals and timers of its own, one of each kind
    "rt_sigaction rt_sigprocmask rt_sigpending rt_sigtimedwait rt_sigsuspend rt_sigreturn sigaltstack pause alarm "
    "getitimer setitimer "
    # what it is and how late it is
    "getpid getppid getuid geteuid getgid getegid getgroups getresuid getresgid getpgid getpgrp getsid getpriority "
    "capget uname sysinfo getrusage getrlimit setrlimit times time gettimeofday clock_gettime clock_getres nanosleep "
    "clock_nanosleep getrandom"
)
"""Whatever the arguments."""

PRETENDED = _names(
    # shutil.copy2 and the like would fail for nothing
    "chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes utimensat futimesat setxattr lsetxattr "
    "fsetxattr setxattrat removexattr lremovexattr fremovexattr removexattrat file_setattr "
    # A lock on a library's file would be seen by others; on its own files a worker is alone. SQLite insists on locks.
    "flock "
    # to empty or flush the caches of the whole machine
    "fadvise64 sync syncfs"
)
"""Answered as done."""

ABSENT = _names("sendfile copy_file_range epoll_create epoll_create1 memfd_create pkey_alloc")
"""Answered as if this kernel did not have them: libraries then fall back to calls that can be judged.

A pipe into which a file is sent holds on to its pages, watching descriptors takes up a share that all processes of a
user have together, and a file in memory has no folder that could be measured.
"""

UNSUPPORTED_HERE = _names("fallocate")
"""Answered as by a file system that cannot do it: what it reserves at once would be gone before the watchdog looks, and
the C library then writes instead."""

FIRST_ABSENT = 424
"""So is every call of this number or a later one that is not allowed; the same on all architectures."""


class Check(NamedTuple):
    """One answer if an argument, masked, is among some values, and another if it is not."""

    argument: int
    values: tuple[int, ...]
    then: str
    otherwise: str
    mask: int = 0xFFFFFFFF


def rules(pid: int, cuda: bool) -> dict[str, tuple[Check, ...]]:
    """Calls that are answered by their arguments: for each, checks that are made in turn.

    Args:
        pid: the number of the worker's process.
        cuda: leave what NVIDIA's driver needs: its devices, and shared memory without a file for pinned pages.
    """
    itself = _only(0, pid)
    return {
        # Shared memory without a file outlives its mapping, where neither a limit nor the watchdog can count it. Huge
        # pages and locked ones are the machine's.
        "mmap": (
            *([] if cuda else [Check(3, (_SHARED,), REFUSE, GO_ON, _SHARED)]),
            Check(3, (0,), ALLOW, REFUSE, _MAP_HUGETLB | _MAP_LOCKED),
        ),
        "madvise": (_only(2, *_ADVICE),),
        # Landlock's right to read is enough to open with O_RDONLY | O_TRUNC, or with mode 3, before its ABI 3.
        "openat": (Check(2, _EMPTIED, REFUSE, ALLOW, _O_TRUNC | _O_ACCMODE),),
        "open": (Check(1, _EMPTIED, REFUSE, ALLOW, _O_TRUNC | _O_ACCMODE),),
        # Locks on files are answered as flock is. Not here: leases, signals for a pipe's reader, larger pipes.
        "fcntl": (Check(1, _LOCKS, PRETEND, GO_ON), _only(1, *_FCNTL)),
        "ioctl": (*([Check(1, _NVIDIA, ALLOW, GO_ON, 0xFF00)] if cuda else []), _only(1, *_IOCTL)),
        # Threads as the C library, musl and Go make them, which share the table of descriptors with the process: the
        # watchdog would not see files in another.
        "clone": (_only(0, 0x3D0F00, 0x7D0F00, 0x50F00),),
        "close_range": (Check(2, (0,), ALLOW, REFUSE, ~_CLOSE_RANGE_CLOEXEC & 0xFFFFFFFF),),
        "pipe2": (Check(1, (0,), ALLOW, REFUSE, ~_PIPE_FLAGS & 0xFFFFFFFF),),
        "kill": (itself,),
        "tgkill": (itself,),
        "prlimit64": (_only(0, 0, pid),),
        "prctl": (_only(0, *_PRCTL),),
        "arch_prctl": (_only(0, *_ARCH_PRCTL),),
        "membarrier": (_only(0, *_MEMBARRIER),),
    }


def answer(name: str, number: int) -> str:
    """What becomes of a call that no rule allows: ``UNKNOWN`` or ``REFUSE``."""
    return UNKNOWN if name in ABSENT or number >= FIRST_ABSENT else REFUSE


def _only(argument: int, *values: int) -> Check:
    return Check(argument, values, ALLOW, REFUSE)


_MAP_LOCKED, _MAP_HUGETLB = 0x2000, 0x40000
_SHARED = mmap.MAP_SHARED | mmap.MAP_ANONYMOUS
# NORMAL to DONTNEED, FREE, DONTFORK, DOFORK, HUGEPAGE to DODUMP, WIPEONFORK, KEEPONFORK, POPULATE_READ and _WRITE,
# GUARD_INSTALL and _REMOVE. Not MERGEABLE, by which strangers share pages, nor PAGEOUT, which evicts theirs.
_ADVICE = (0, 1, 2, 3, 4, 8, 10, 11, 14, 15, 16, 17, 18, 19, 22, 23, 102, 103)
_O_ACCMODE, _O_TRUNC = 0o3, 0o1000
_EMPTIED = (_O_TRUNC, _O_TRUNC | _O_ACCMODE)
_LOCKS = (6, 7, 37, 38)  # F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW
# F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_OFD_GETLK, F_DUPFD_CLOEXEC, F_GETPIPE_SZ
_FCNTL = (0, 1, 2, 3, 4, 5, 36, 1030, 1032)
# TCGETS and its 64-bit sibling, TIOCGWINSZ, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX
_IOCTL = (0x5401, 0x802C542A, 0x5413, 0x541B, 0x5421, 0x5451, 0x5450)
_NVIDIA = (0x4600, 0x0000, 0x6D00, 0x4700)  # the types of nvidia's, nvidia-uvm's, nvidia-modeset's and dxg's numbers
_CLOSE_RANGE_CLOEXEC = 4
_PIPE_FLAGS = 0o2000000 | 0o4000 | 0o40000  # O_CLOEXEC, O_NONBLOCK, O_DIRECT; not O_NOTIFICATION_PIPE
# GET_PDEATHSIG, GET_DUMPABLE, SET_NAME, GET_NAME, GET_SECCOMP, CAPBSET_READ, SET_TIMERSLACK, GET_TIMERSLACK,
# SET_NO_NEW_PRIVS, GET_NO_NEW_PRIVS, GET_THP_DISABLE, SVE_GET_VL, SME_GET_VL
_PRCTL = (2, 3, 15, 16, 21, 23, 29, 30, 38, 39, 42, 51, 64)
# SET_FS, GET_FS, GET_XCOMP_SUPP, GET_XCOMP_PERM, REQ_XCOMP_PERM (for Intel's matrix unit), CET_STATUS, SHSTK_STATUS
_ARCH_PRCTL = (0x1002, 0x1003, 0x1021, 0x1022, 0x1023, 0x3001, 0x5005)
_MEMBARRIER = (0, 8, 16, 32, 64)  # QUERY, and what reaches the threads of this process only
