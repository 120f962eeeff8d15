"""Many graders at once, and graders that are killed: nothing is lost, doubled or half written."""

from __future__ import annotations

import json
import os
import pkgutil
import random
import signal
from pathlib import Path
from typing import Any

import pytest
from support.crowds import crowd, forked, kill_one, look, record

from harness.board.kept import Kept

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")


def test_many_processes_record_on_one_board(tmp_path: Path) -> None:
    assert crowd(tmp_path, processes=8, each=5) == []


def test_a_kill_at_any_moment_loses_nothing(tmp_path: Path) -> None:
    moments = random.Random(1)

    for number in range(20):
        _, problems = kill_one(tmp_path, moments.uniform(0, 0.1), number)
        assert problems == []


MOMENTS = {
    "before anything is kept": ("harness.board.kept.Kept.write", "before"),
    "with predictions and no entry": ("harness.board.kept.Kept.write", "after"),
    "with predictions half written": ("harness.board.kept.write_atomically", "half"),
    "with an entry half written": ("harness.board.leaderboard.write_atomically", "half"),
    "with an entry that the index lacks": ("harness.board.index.Index.take", "before"),
    "with an entry that the table lacks": ("harness.board.leaderboard.Leaderboard._write_csv", "before"),
    "when all is done": ("harness.board.pending.Pending.end", "before"),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_kill_at_this_moment_leaves_all_of_an_entry_or_nothing(tmp_path: Path, moment: str) -> None:
    (place, side), folder = MOMENTS[moment], tmp_path / "board"
    record(folder, "x-first")

    def work() -> None:
        function = pkgutil.resolve_name(place)

        def killed(*words: Any, **more: Any) -> None:
            if side == "after":
                function(*words, **more)
            if side == "half":
                (path, content) = words
                path.parent.mkdir(parents=True, exist_ok=True)
                path.with_name(f".{path.name}.x1y2").write_bytes(content[:9])
            os.kill(os.getpid(), signal.SIGKILL)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(place, killed)
            record(folder, "k-second")

    os.waitpid(forked(work), 0)

    assert look(folder, ["x-first"], only="k") == []
    kept = {digest for _, digest in Kept(folder).all_files()}
    assert len(kept) == len(list(folder.glob("entries/tiny/*.json")))
    record(folder, "x-third")
    assert look(folder, ["x-first", "x-third"], only="x") == []


@pytest.mark.parametrize("name", ["../outside.gz", "/{}/outside.gz", "entries/tiny/20260101T000000-x-first.json"])
def test_a_forged_mark_of_a_recording_removes_nothing_else(tmp_path: Path, name: str) -> None:
    folder, outside = tmp_path / "board", tmp_path / "outside.gz"
    record(folder, "x-first")
    outside.write_text("mine")
    forged = {"entry": "entries/tiny/none.json", "files": [name.format(tmp_path)]}
    (folder / ".index" / "tiny.pending").write_text(json.dumps(forged))

    record(folder, "x-second")

    assert outside.exists() and look(folder, ["x-first", "x-second"]) == []
