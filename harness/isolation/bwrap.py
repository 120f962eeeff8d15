"""Bubblewrap: a mount, process and network namespace around a worker, where the machine lets users make them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from harness.isolation.grants import Grants

_OWN = ("/dev/null", "/dev/random", "/dev/urandom")
"""Those that ``--dev`` makes; /proc is its own as well."""
_OPTIONS = ("--unshare-all", "--die-with-parent", "--proc", "/proc", "--dev", "/dev")


def command(grants: Grants, job: Path) -> list[str]:
    """What to put before a worker's command: inside, nothing exists but what is granted."""
    words = [shutil.which("bwrap") or "bwrap", *_OPTIONS]
    for path in (*grants.read, str(job / "plan.json")):
        if not path.startswith("/proc/"):
            words += ["--ro-bind", path, path]
    for path in grants.write:
        words += ["--bind", path, path]
    for path in grants.devices:
        if path not in _OWN and not path.startswith("/proc/"):
            words += ["--dev-bind", path, path]
    return [*words, "--chdir", str(job / "tmp"), "--"]


def why_not() -> str | None:
    """Why this machine cannot use it; None if it can."""
    program = shutil.which("bwrap")
    if program is None:
        return "bwrap is not installed"
    trial = subprocess.run(  # noqa: S603 - a program of the system with fixed arguments
        [program, "--ro-bind", "/", "/", *_OPTIONS, "true"], capture_output=True, text=True, timeout=10, check=False
    )
    return f"bwrap was refused: {trial.stderr.strip()}" if trial.returncode else None
