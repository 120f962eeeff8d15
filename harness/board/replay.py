"""Grading again what is kept: the source of an entry, with the entry's own conditions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from harness.benchmark import Benchmark
from harness.board.kept import SOURCE, Kept
from harness.datasets.faces import Split
from harness.errors import LeaderboardError
from harness.grading.entry import Entry
from harness.grading.grade import Graded, grade
from harness.runs.conditions import Conditions
from harness.submission.kinds import KINDS
from harness.submission.source import Source, holds_data


def replay(
    entry: Entry,
    kept: Kept,
    benchmark: Benchmark,
    split: Split,
    conditions: Conditions,
    folder: Path,
    on_progress: Callable[[dict[str, float]], None] = lambda _: None,
) -> Graded:
    """Grade the source of an entry again.

    Args:
        entry: of any board.
        kept: what is kept beside it.
        benchmark, split: the card and its faces.
        conditions: for what the entry does not say; see `conditions_of`.
        folder: an empty one.
        on_progress: called with each progress message of a training.

    Raises:
        LeaderboardError: there is no source, or not the one that was graded.
        HarnessError: something other than the submission is at fault.
    """
    source = archived_source(entry, kept, folder)
    return grade(source, benchmark, split, conditions_of(entry, conditions), board=entry.board, on_progress=on_progress)


def archived_source(entry: Entry, kept: Kept, folder: Path) -> Source:
    """The source that an entry was made from.

    Args:
        entry, kept: as those of `replay`.
        folder: where a submission is written that is a file for the grader itself to read.

    Raises:
        LeaderboardError: there is none, or it is not the one that was graded.
    """
    if SOURCE not in entry.kept:
        why = (
            "a blend has none of its own"
            if entry.blend
            else "it was graded with --keep predictions, or by an earlier version"
        )
        raise LeaderboardError(f"{entry.id}: no source was kept with this entry ({why}), so it cannot be graded again")
    manifest = kept.manifest(entry.kept[SOURCE])
    kind = next((kind for kind in KINDS if manifest.suffix in (kind.suffixes or [""])), None)
    if kind is None or manifest.fingerprint != entry.fingerprints.get("source"):
        raise LeaderboardError(f"{entry.id}: the source that is kept is not the one that was graded; restore it")
    files: dict[str, Path | bytes] = {name: kept.source_file(digest) for name, digest in manifest.files.items()}
    path = folder / Path(next(iter(files))).name
    if not kind.has_code:
        path.write_bytes(b"".join(each for each in files.values() if isinstance(each, bytes)))
    return Source(
        path=path,
        name=entry.submission,
        kind=kind,
        author=entry.author,
        entry=manifest.entry,
        files=files,
        description=entry.description,
        fingerprint=manifest.fingerprint,
        size=sum(len(each) for each in files.values() if isinstance(each, bytes)),
        brings_data=holds_data(files),
        remarks=manifest.remarks,
    )


def conditions_of(entry: Entry, given: Conditions) -> Conditions:
    """The conditions that an entry was graded with; how it is isolated is this grader's affair.

    Args:
        entry: says overrides, limits, device and threads.
        given: for the rest, and for what an entry of an earlier version does not say. A device other than ``auto``
            comes before the entry's.
    """
    limits = replace(
        given.limits,
        seconds=entry.limits.get("seconds", given.limits.seconds),
        memory=int(entry.limits.get("memory", given.limits.memory)),
    )
    device, threads = entry.asked.get("device"), entry.asked.get("threads")
    return replace(
        given,
        overrides=entry.overrides,
        seeds=max(1, len(entry.trainings)),
        limits=limits,
        device=device if given.device == "auto" and isinstance(device, str) else given.device,
        threads=threads if given.threads is None and isinstance(threads, int) else given.threads,
    )


def differences(old: Entry, new: Entry) -> list[str]:
    """What was otherwise when an entry was graded, and may change its score, a few words each."""
    found = [
        f"{name} {before} then, {new.versions[name]} now"
        for name, before in old.versions.items()
        if name in new.versions and new.versions[name] != before
    ]
    if old.device != new.device:
        found.append(f"trained on {old.device or 'nothing'} then, on {new.device or 'nothing'} now")
    if old.fingerprints.get("harness") != new.fingerprints.get("harness"):
        found.append("the harness's own code has changed")
    if old.fingerprints.get("card") not in (None, new.fingerprints.get("card")):
        found.append("the card has changed")
    return found
