"""A kept source is the one that was graded, in whichever form it was handed in."""

from __future__ import annotations

import gzip
import hashlib
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from support.entries import entry
from support.submissions import MEAN_FACE

from harness.board.kept import Kept, pack, place
from harness.board.replay import archived_source, conditions_of, differences
from harness.errors import LeaderboardError
from harness.isolation.limits import Limits
from harness.isolation.tiers import Tier
from harness.runs.conditions import Conditions
from harness.submission.source import find_source


def single(folder: Path) -> Path:
    (folder / "mine.py").write_text(f"weights = 'mine.safetensors'\n{MEAN_FACE}")
    (folder / "mine.safetensors").write_bytes(bytes(9000))
    return folder / "mine.py"


def with_parts(folder: Path) -> Path:
    (folder / "mine" / "parts").mkdir(parents=True)
    (folder / "mine" / "submission.py").write_text(f"from parts.helper import HELPS\n{MEAN_FACE}")
    (folder / "mine" / "parts" / "helper.py").write_text("HELPS = True\n")
    return folder / "mine"


def zipped(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "mine.zip", "w") as archive:
        archive.writestr("work/submission.py", MEAN_FACE)
        archive.writestr("work/größe.py", "SIZE = 1\n")
    return folder / "mine.zip"


def notebook(folder: Path) -> Path:
    cells = [{"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": MEAN_FACE}]
    text = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    (folder / "mine.ipynb").write_text(text)
    return folder / "mine.ipynb"


def model(folder: Path) -> Path:
    (folder / "mine.onnx").write_bytes(b"not a model, but nobody opens it here")
    return folder / "mine.onnx"


def table(folder: Path) -> Path:
    (folder / "mine.csv").write_text("RowId,Location\n1,2.5\n")
    return folder / "mine.csv"


def array(folder: Path) -> Path:
    np.save(folder / "mine.npy", np.zeros((1, 15, 2)))
    return folder / "mine.npy"


@pytest.mark.parametrize("form", [single, with_parts, zipped, notebook, model, table, array])
def test_a_source_comes_back_as_it_was_graded(tmp_path: Path, form) -> None:
    (tmp_path / "again").mkdir()
    graded = find_source(form(tmp_path))
    parcel, kept = pack(graded, None, frozenset(["source"])), Kept(tmp_path / "leaderboard")
    kept.write(parcel.files)
    recorded = entry("mine", 1.0, kept=parcel.hashes, fingerprints={"source": graded.fingerprint})

    again = archived_source(recorded, kept, tmp_path / "again")

    for name in ("name", "kind", "entry", "fingerprint", "size", "brings_data", "remarks", "has_code"):
        assert getattr(again, name) == getattr(graded, name), name
    assert again.contents() == graded.contents() and list(again.contents()) == list(graded.contents())
    if not graded.has_code:
        assert again.path.name == graded.path.name and again.path.read_bytes() == graded.path.read_bytes()


@pytest.mark.parametrize(
    "files",
    [{"../outside.py": "0" * 64}, {"/tmp/outside.py": "0" * 64}, {"": "0" * 64}, {"mine.csv": "../../secret"}, {}],
    ids=str,
)
def test_a_forged_list_of_files_reaches_nothing_outside(tmp_path: Path, files: dict[str, str]) -> None:
    forged = json.dumps({"suffix": ".csv", "entry": None, "files": files, "remarks": []}).encode()
    digest, kept = hashlib.sha256(forged).hexdigest(), Kept(tmp_path)
    kept.write({place("source", digest): gzip.compress(forged)})

    with pytest.raises(LeaderboardError, match="is not the list of a submission's files"):
        archived_source(entry("mine", 1.0, kept={"source": digest}), kept, tmp_path)


def test_an_entrys_own_conditions_come_before_this_commands_but_for_its_isolation() -> None:
    given = Conditions("auto", {}, Limits(seconds=60, memory=2**30), Tier.LANDLOCK)
    made = {"device": "cpu", "threads": 2}
    old = entry("mine", 1.0, asked=made, overrides={"epochs": 3}, limits={"seconds": 9, "memory": 5}, isolation="none")

    again = conditions_of(old, given)

    assert (again.device, again.threads, again.overrides) == ("cpu", 2, {"epochs": 3})
    assert (again.limits.seconds, again.limits.memory, again.tier) == (9, 5, Tier.LANDLOCK)
    assert conditions_of(entry("old", 1.0), given) == given
    assert conditions_of(old, Conditions("cuda", {}, Limits(), Tier.NONE)).device == "cuda"


def test_what_has_changed_since_is_named() -> None:
    old = entry("mine", 1.0, versions={"torch": "2.14", "numpy": "2"}, fingerprints={"card": "c", "harness": "h"})
    new = old.model_copy(update={"versions": {"torch": "2.15", "numpy": "2"}, "device": "cuda (H100)"})

    assert differences(old, old) == []
    assert differences(old, new) == ["torch 2.14 then, 2.15 now", "trained on cpu then, on cuda (H100) now"]
