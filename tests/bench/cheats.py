"""Grades every cheat under every condition, and prints what each came to.

    PYTHONPATH=tests python tests/bench/cheats.py [NAME...]

The conditions: this kernel's Landlock and ABI 2 of it, each with a cgroup where this machine has one and without, as
the user who starts this and, where that is root, as a user without rights; and without walls, to see that the cheats
are good ones. Then a batch of 20 submissions, half of them bad.
"""

from __future__ import annotations

import contextlib
import io
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections import Counter
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from support.cheating import Verdict, all_cheats, constants, grade_cheat
from support.submissions import FAILURES
from support.tiny import CARD, draw_faces, write_kaggle

from harness.cli.grade import main as grade
from harness.isolation import landlock
from harness.isolation.cgroups import why_no_cgroup
from harness.isolation.launcher import launch
from harness.isolation.limits import Limits
from harness.isolation.tiers import Tier

SOMEBODY = 61_999
OLD_ABI = 2
NO_WALLS = "no walls"
REPOSITORY = Path(__file__).parents[2]
HONEST = REPOSITORY / "tests" / "cheats" / "honest" / "mean_face.py"
BAD = (
    "syntax error",
    "import error",
    "wrong shape",
    "NaN",
    "an error in fit",
    "sys.exit(0)",
    "os._exit(0)",
    "a crash of the interpreter",
    "100 MB of prints",
    "memory past the limit",
)


class Condition(NamedTuple):
    """Which version of Landlock holds, None being no walls at all, and whether there is a cgroup."""

    abi: int | None
    cgroup: bool


def conditions() -> dict[str, Condition]:
    """All that this user can be put under here, by name."""
    cgroup = why_no_cgroup() is None
    found = {
        f"ABI {abi}{', cgroup' if with_cgroup else ''}": Condition(abi, with_cgroup)
        for abi in (landlock.version(), OLD_ABI)
        for with_cgroup in ([True, False] if cgroup else [False])
    }
    return found if os.geteuid() == SOMEBODY else found | {NO_WALLS: Condition(None, cgroup)}


def run_all(cheats: list[Path]) -> dict[str, dict[str, Verdict | str]]:
    """Cheat -> condition -> verdict, or what broke the grader."""
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        futures = {
            cheat.stem: {name: pool.submit(grade_at, cheat, condition) for name, condition in conditions().items()}
            for cheat in cheats
        }
        return {cheat: {name: _result(each) for name, each in row.items()} for cheat, row in futures.items()}


def grade_at(cheat: Path, condition: Condition) -> Verdict:
    """The verdict on a cheat under a condition."""
    with contextlib.ExitStack() as stack:
        if not condition.cgroup:
            stack.enter_context(mock.patch("harness.isolation.launcher.make_cgroup", lambda _: None))
        if condition.abi is None:
            return grade_cheat(cheat, Tier.NONE)
        stack.enter_context(mock.patch("harness.runs.job.launch", partial(launch, landlock_abi=condition.abi)))
        return grade_cheat(cheat)


def outcome(cheat: Path, verdict: Verdict | str) -> str:
    """A word for a verdict: GAINED, CRASHED (the grader), stopped (by a limit), refused, graded for nothing."""
    if isinstance(verdict, str):
        return "CRASHED"
    if verdict.gains:
        return "GAINED"
    if verdict.status == "graded":
        return "graded"
    stops = {Limits().sentence(limit).split(" of ")[0][:20] for limit in ("time", "memory")}
    stops |= {"it wrote more than", "it made more than", "it printed more than", "it started more than"}
    return "stopped" if verdict.reason.startswith(tuple(stops)) else "refused"


def show(title: str, cheats: list[Path], table: dict[str, dict[str, Verdict | str]]) -> int:
    """Print a table of words; how many cheats gained something or broke the grader behind walls."""
    print(f"\n{title}\n")
    names = list(next(iter(table.values())))
    words = {cheat.stem: [outcome(cheat, each) for each in table[cheat.stem].values()] for cheat in cheats}
    print(f"{'':<32}" + "".join(f"{name:<15}" for name in names) + "as expected")
    for cheat in cheats:
        walled = [each for name, each in table[cheat.stem].items() if name != NO_WALLS]
        expected = all(
            isinstance(each, Verdict) and constants(cheat)["EXPECT"] in (each.reason or "graded") for each in walled
        )
        row = "".join(f"{word:<15}" for word in words[cheat.stem])
        print(f"{cheat.stem:<32}{row}{'yes' if expected else 'NO'}")
    for column, name in enumerate(names):
        counts = Counter(row[column] for row in words.values())
        print(f"{name}: " + ", ".join(f"{count} {word}" for word, count in counts.most_common()))
    for cheat, row in table.items():
        for name, each in row.items():
            if name != NO_WALLS and (isinstance(each, str) or each.gains):
                print(f"{cheat}, {name}: {each if isinstance(each, str) else each.gains}")
    walled_columns = [column for column, name in enumerate(names) if name != NO_WALLS]
    return sum(any(row[column] in ("GAINED", "CRASHED") for column in walled_columns) for row in words.values())


def show_batch() -> None:
    """Grade 20 submissions in one command, every other one bad in its own way, and print what came of them."""
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, XDG_CACHE_HOME=folder):
        root = Path(folder)
        write_kaggle(root / "faces", *draw_faces(48), [f"S{row % 12}" for row in range(48)])
        (root / "tiny.toml").write_text(CARD)
        submissions = []
        for number, bad in enumerate(BAD):
            for name, text in ((f"good{number}", HONEST.read_text()), (f"bad{number}", FAILURES[bad][0])):
                submissions.append(root / f"{name}.py")
                submissions[-1].write_text(text)
        options = {"benchmark": "tiny.toml", "data": "faces", "leaderboard": "board", "json": "all.json"}
        words = [word for name, file in options.items() for word in (f"--{name}", str(root / file))]
        with contextlib.redirect_stdout(io.StringIO()):
            code = grade([*map(str, submissions), *words, "--time-limit", "10s"])
        entries = json.loads((root / "all.json").read_text())
        scored = sum(entry["status"] == "graded" for entry in entries)
        reasons = [FAILURES[bad][1].replace("mine.py", f"bad{number}.py") for number, bad in enumerate(BAD)]
        explained = sum(reason in (entry["reason"] or "") for reason, entry in zip(reasons, entries[1::2], strict=True))
        print(f"\na batch of {len(submissions)}: {scored} scored, {explained} with their reasons, exit code {code}")


def as_somebody(names: list[str]) -> int:
    """Run this again as a user without rights, from a copy that such a user can read; its exit code."""
    with tempfile.TemporaryDirectory(prefix="somebody-") as folder:
        root = Path(folder)
        root.chmod(0o755)
        for part in ("harness", "tests", "data"):
            shutil.copytree(REPOSITORY / part, root / part, ignore=shutil.ignore_patterns("__pycache__", "prepared"))
        python = _python_for_everybody()
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        packages = root / "venv" / "lib" / version / "site-packages"
        shutil.copytree(sysconfig.get_path("purelib"), packages, copy_function=_link_or_copy, symlinks=True)
        (root / "venv" / "bin").mkdir()
        (root / "venv" / "bin" / "python").symlink_to(python)
        (root / "venv" / "pyvenv.cfg").write_text(f"home = {python.parent}\n")
        home = root / "home"
        home.mkdir()
        os.chown(home, SOMEBODY, SOMEBODY)
        return subprocess.run(
            [root / "venv" / "bin" / "python", root / "tests" / "bench" / "cheats.py", *names],
            env={"PATH": os.defpath, "HOME": str(home), "PYTHONPATH": f"{root}:{root / 'tests'}"},
            cwd=home,
            user=SOMEBODY,
            group=SOMEBODY,
            extra_groups=[],
            check=False,
        ).returncode


def _python_for_everybody() -> Path:
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for prefix in (Path(sys.base_prefix), Path("/usr"), Path("/usr/local")):
        program = (prefix / "bin" / name).resolve()
        if program.exists() and all(parent.stat().st_mode & 0o001 for parent in program.parents):
            return program
    raise SystemExit(f"there is no {name} here that a user without rights may run")


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _result(future: Future[Verdict]) -> Verdict | str:
    try:
        return future.result()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def main(names: list[str]) -> int:
    """All tables; 1 if a cheat gained something."""
    cheats = [cheat for cheat in all_cheats() if not names or cheat.stem in names]
    gained = show(f"{len(cheats)} cheats as user {os.geteuid()}", cheats, run_all(cheats))
    print(f"gained: {gained} of {len(cheats)}")
    if os.geteuid() != 0:
        return int(gained > 0)
    if not names:
        show_batch()
    return max(int(gained > 0), as_somebody(names))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
