"""Canaries: all that a submission must not reach, laid out for it, and witnesses of what became of them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import resource
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from harness.board.leaderboard import Leaderboard
from harness.datasets.faces import Split
from harness.grading.asking import sampled_rows, transposed_rows
from harness.grading.entry import Entry, Seconds

_PUBLIC = ("/tmp", "/var/tmp", "/dev/shm", "/run")


class Canaries:
    """A folder with data, a leaderboard, a rival's submission and a token, all open to everybody, sockets that
    listen, and a process to harm: nothing but the isolation keeps a submission from them.

    Attributes:
        root: the folder; ``guarded`` below it is what nobody may read or change.
        board: the leaderboard in it, with one entry.
        target: their paths, ports and numbers, which an attacker may be taken to know.
    """

    def __init__(self, root: Path, split: Split, stack: contextlib.ExitStack) -> None:
        self.root, self.guarded = root, root / "guarded"
        self._jobs = root / "jobs"  # stands in for /tmp
        self._mark = f"cheat{secrets.token_hex(6)}"
        self._key = int(self._mark[-6:], 16) + 1
        secret = f"secret{secrets.token_hex(12)}"
        for name in ("data/answers.txt", "submissions/rival.py", "home/token", "leaderboard/.lock"):
            (self.guarded / name).parent.mkdir(parents=True)
            (self.guarded / name).write_text(f"# {secret}\n")
        np.save(self.guarded / "data" / "answers.npy", split.held_out.keypoints)
        self.board = Leaderboard(self.guarded / "leaderboard", "tiny")
        self.board.record(_rivals_entry(secret, split))
        self.board.rebuild()
        self._jobs.mkdir()
        for path in (root, self._jobs, self.guarded, *self.guarded.rglob("*")):
            path.chmod(0o777 if path.is_dir() else 0o666)

        stack.callback(self._clear_away)
        self._victim = psutil.Popen(["sleep", "600"], env={"TOKEN": secret}, start_new_session=True)
        self._sockets = {
            "TCP": stack.enter_context(socket.create_server(("127.0.0.1", 0))),
            "UDP": stack.enter_context(_bound(socket.AF_INET, ("127.0.0.1", 0))),
            "a unix socket": stack.enter_context(_bound(socket.AF_UNIX, str(root / "socket"))),
            "an abstract socket": stack.enter_context(_bound(socket.AF_UNIX, f"\0{self._mark}")),
        }
        (root / "socket").chmod(0o777)
        for each in self._sockets.values():
            each.setblocking(False)
        sample = sampled_rows(split.training)
        asked = len(split.held_out) + len(sample) + len(transposed_rows(split.training, sample))
        self.target = {
            "answers": str(self.guarded / "data" / "answers.npy"),
            "answers_text": str(self.guarded / "data" / "answers.txt"),
            "leaderboard": str(self.board.csv),
            "entries": str(self.guarded / "leaderboard" / "entries" / "tiny"),
            "lock": str(self.guarded / "leaderboard" / ".lock"),
            "rival": str(self.guarded / "submissions" / "rival.py"),
            "token": str(self.guarded / "home" / "token"),
            "jobs": str(self._jobs),
            "grader": os.getpid(),
            "victim": self._victim.pid,
            "tcp": self._sockets["TCP"].getsockname(),
            "udp": self._sockets["UDP"].getsockname(),
            "unix": str(root / "socket"),
            "abstract": f"\0{self._mark}",
            "mark": self._mark,
            "key": self._key,
            "shape": split.held_out.keypoints.shape,
            "asked_shape": (asked, *split.held_out.keypoints.shape[1:]),
        }
        self._before = self._state()

    @classmethod
    @contextlib.contextmanager
    def laid_out(cls, split: Split) -> Iterator[Canaries]:
        """Fresh ones, around which jobs get their folders; all is cleared away in the end."""
        with contextlib.ExitStack() as stack:
            root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="canaries-"))).resolve()
            canaries = cls(root, split, stack)
            stack.callback(setattr, tempfile, "tempdir", tempfile.tempdir)
            tempfile.tempdir = str(canaries._jobs)
            yield canaries

    def changes(self) -> list[str]:
        """A sentence for everything outside the worker that is not as it was."""
        now = self._state()
        found = [f"{name} was {was} and is {now[name]}" for name, was in self._before.items() if now[name] != was]
        return found + [f"a packet came through {name}" for name, each in self._sockets.items() if _heard(each)]

    def _state(self) -> dict[str, Any]:
        me, victim = psutil.Process(), self._victim
        alive = victim.is_running() and victim.status() != psutil.STATUS_ZOMBIE
        return {
            "what is guarded": {str(path): _look(path) for path in sorted(self.guarded.rglob("*"))},
            "the list of job folders": sorted(path.name for path in self._jobs.iterdir()),
            "the list of files in public folders": self._left_in_public(),
            "the list of SysV objects": self._left_in_kernel(),
            "the list of workers alive": [p.pid for p in psutil.process_iter(["cmdline"]) if self._is_worker(p)],
            "another process": alive and (victim.nice(), victim.cpu_affinity(), victim.rlimit(resource.RLIMIT_CPU)),
            "the grader": (me.nice(), me.cpu_affinity(), me.rlimit(resource.RLIMIT_CPU), Path.cwd()),
        }

    def _is_worker(self, process: psutil.Process) -> bool:
        words = " ".join(process.info["cmdline"] or ())
        return str(self._jobs) in words or self._mark in words

    def _left_in_public(self) -> list[Path]:
        return [path for folder in _PUBLIC for path in Path(folder).glob(f"*{self._mark}*")]

    def _left_in_kernel(self) -> list[str]:
        tables = {kind: Path(f"/proc/sysvipc/{kind}") for kind in ("shm", "sem", "msg")}
        key = re.compile(rf"(?m)^ *{self._key} ")
        return [kind for kind, table in tables.items() if table.exists() and key.search(table.read_text())]

    def _clear_away(self) -> None:
        with contextlib.suppress(psutil.Error):
            self._victim.kill()
        self._victim.wait()
        for path in self._left_in_public():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for kind in self._left_in_kernel():
            option = {"shm": "-M", "sem": "-S", "msg": "-Q"}[kind]
            subprocess.run(["ipcrm", option, str(self._key)], check=True)


def _rivals_entry(secret: str, split: Split) -> Entry:
    score = {"value": 0.1, "low": 0.1, "high": 0.1}
    return Entry(
        id="rival",
        submission="rival",
        benchmark="tiny",
        board="tiny",
        date="2024-01-01T00:00:00Z",
        status="graded",
        metric="mean_pixel_error",
        scores={"mean_pixel_error": score, "rmse": score},
        isolation="landlock",
        device="cpu",
        seconds=Seconds(total=1, training=1),
        peak_memory=1,
        fingerprints={"data": split.fingerprint},
        log_tail=secret,
    )


def _bound(family: int, address: Any) -> socket.socket:
    each = socket.socket(family, socket.SOCK_DGRAM)
    each.bind(address)
    return each


def _heard(each: socket.socket) -> bool:
    try:
        each.accept()[0].close() if each.type == socket.SOCK_STREAM else each.recv(1)
    except BlockingIOError:
        return False
    return True


def _look(path: Path) -> list[Any]:
    about = path.lstat()
    content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
    return [about.st_mode, about.st_uid, about.st_gid, about.st_nlink, about.st_mtime_ns, content, os.listxattr(path)]
