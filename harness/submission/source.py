"""Source: what a competitor handed in, found and read without running any of it."""

from __future__ import annotations

import difflib
import hashlib
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.errors import LoadError, SubmissionError, UsageError
from harness.places import shipped
from harness.submission.choosing import FOLDER_ENTRY
from harness.submission.kinds import SUFFIXES, Kind, Opened, kind_of, submission_in
from harness.submission.plain_files import MOST_BYTES, MOST_FILES, open_plain
from harness.text import file_name
from harness.units import format_bytes

_CODE_BYTES, _DATA_BYTES = 64 * 2**10, 4 * 2**10
"""A longer Python file, or more bytes in other files, may hold what was learnt elsewhere."""


@dataclass(frozen=True)
class Package:
    """A submission's files themselves, as a worker gets them on whatever machine it runs.

    Attributes:
        name: what the leaderboard calls it.
        entry: the Python file to import.
        files: name -> bytes.
        fingerprint: sha256 over names and bytes.
    """

    name: str
    entry: str
    files: Mapping[str, bytes]
    fingerprint: str

    def write_to(self, folder: Path) -> None:
        """Write the files, and nothing that lay beside them."""
        for name, content in self.files.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)


@dataclass(frozen=True)
class Source:
    """What a competitor handed in.

    Attributes:
        path: as it was found.
        name: what the leaderboard calls it.
        kind: of which form it is; None where it cannot be opened at all.
        author: who handed it in; empty where nobody said.
        entry: the Python file to import, relative to the copy; None where there is no code to run.
        files: name in the copy -> the file, or what the harness made of one.
        description: the beginning of the entry's docstring.
        fingerprint: sha256 over the files' names and bytes.
        size: bytes of all files together.
        brings_data: whether it holds more than code, so that what it predicts may have been learnt elsewhere.
        refused: why it cannot be opened.
        remarks: what of it was left out or changed, a sentence each.
    """

    path: Path
    name: str
    kind: Kind | None = None
    author: str = ""
    entry: str | None = None
    files: Mapping[str, Path | bytes] | None = None
    description: str = ""
    fingerprint: str = ""
    size: int = 0
    brings_data: bool = False
    refused: str | None = None
    remarks: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Author and name, as people see them."""
        return f"{self.author}/{self.name}" if self.author else self.name

    @property
    def has_code(self) -> bool:
        """Whether there is something to train and run."""
        return self.kind is not None and self.kind.has_code

    def pack(self) -> Package:
        """Read the files for a worker.

        Raises:
            LoadError: a file cannot be read, or has changed since the submission was found.
        """
        assert self.entry is not None
        return Package(self.name, self.entry, self.contents(), self.fingerprint)

    def contents(self) -> dict[str, bytes]:
        """The files' bytes, by their names in the copy.

        Raises:
            LoadError: a file cannot be read, or has changed since the submission was found.
        """
        assert self.files is not None
        files = {name: _content(file, name) for name, file in self.files.items()}
        if fingerprint_of({name: hashlib.sha256(each).hexdigest() for name, each in files.items()}) != self.fingerprint:
            raise LoadError(f"{self.path}: was changed while it was being graded; grade it again")
        return files


def find_source(submission: str | Path) -> Source:
    """The submission at this path, or the baseline of this name.

    Raises:
        LoadError: there is none, or the harness does not take it.
    """
    path = _locate(str(submission))
    if not (path.is_file() or path.is_dir()):
        raise LoadError(f"{path}: is a pipe or a device, which could be waited for without end; name a plain file")
    try:
        if path.is_dir() and not (path / FOLDER_ENTRY).is_file():
            path = submission_in(path)
        kind = kind_of(path)
        opened = kind.open(path)
        size = _acceptable_size(path, opened)
        fingerprint = fingerprint_of({name: _digest(file, name).hexdigest() for name, file in opened.files.items()})
    except OSError as error:
        raise LoadError(f"{error.filename}: cannot be read: {error.strerror}") from error
    return Source(
        path=path,
        name=file_name(opened.name),
        kind=kind,
        entry=opened.entry,
        files=opened.files,
        description=opened.description,
        fingerprint=fingerprint,
        size=size,
        brings_data=holds_data(opened.files),
        remarks=opened.remarks,
    )


def find_or_refuse(submission: str | Path) -> Source:
    """The same; what cannot be found or opened becomes a source with the reason, so that it has an entry too."""
    try:
        return find_source(submission)
    except SubmissionError as error:
        return refused_source(Path(submission), str(error))


def refused_source(path: Path, reason: str) -> Source:
    """A source that cannot be graded, for the reason given."""
    name = path.stem if path.suffix.lower() in SUFFIXES else path.name
    return Source(path, file_name(name), fingerprint=hashlib.sha256(os.fsencode(path)).hexdigest(), refused=reason)


def name_authors(sources: Sequence[Source], author: str | None) -> list[Source]:
    """The same submissions, so that author and name tell each from every other.

    ``author`` is everybody's, where it is given. Otherwise, if two submissions have one name, each takes the name of
    a folder for its author: the one that it lies in or, where all have the same, the next above, as in nbgrader's
    ``submitted/STUDENT/ASSIGNMENT``.

    Raises:
        UsageError: two would still share a row of the board.
    """
    if author is not None:
        named = [replace(source, author=file_name(author)) for source in sources]
    elif len({source.name for source in sources}) < len(sources):
        named = _named_by_folders(sources)
    else:
        named = list(sources)
    for label, times in Counter(source.label for source in named).items():
        if times > 1:
            paths = ", ".join(str(source.path) for source in named if source.label == label)
            raise UsageError(
                f"{times} submissions would share the row {label!r} of the board: {paths}; name each once, put each "
                "author's into a folder of their own, or grade them one at a time with --author NAME"
            )
    return named


def _named_by_folders(sources: Sequence[Source]) -> list[Source]:
    own = shipped("baselines").resolve()
    folders = {source.path.resolve(): source.path.resolve().parents for source in sources}
    others = [above for above in folders.values() if above[0] != own]
    # A folder of which all have the same, as that of nbgrader's assignment, is nobody's name.
    levels = range(min(map(len, others), default=0))
    level = next((each for each in levels if len({above[each].name for above in others}) > 1), 0)
    return [
        source if above[0] == own else replace(source, author=_student(above[level].name))
        for source in sources
        for above in [folders[source.path.resolve()]]
    ]


def _student(folder: str) -> str:
    """Who handed in what lies in this folder; Moodle adds to the name what kind of submission it is."""
    return file_name(re.sub("_assignsubmission_[a-z]+_?$", "", folder))


def baselines() -> dict[str, Path]:
    """Name -> file of each baseline that came with the harness."""
    return {path.stem: path for path in sorted(shipped("baselines").glob("[a-z]*.py"))}


def _locate(submission: str) -> Path:
    path = Path(submission)
    try:
        if path.exists():
            return path
    except OSError as error:  # such as a name that is too long
        raise LoadError(f"{submission}: cannot be read: {error.strerror}") from error
    if baseline := baselines().get(submission):
        return baseline
    near = [
        str(file)
        for file in path.parent.glob("*.py")
        if difflib.SequenceMatcher(None, file.stem, path.stem).ratio() > 0.6
    ]
    raise LoadError(
        f"{submission}: there is no such file"
        + (f"; did you mean {near[0]}?" if near else "")
        + " (`harness new NAME` writes a submission that runs as it stands)"
    )


def _content(file: Path | bytes, name: str) -> bytes:
    if isinstance(file, bytes):
        return file
    try:
        with open_plain(file, name) as opened:
            return opened.read(MOST_BYTES)
    except OSError as error:
        raise LoadError(f"{file}: cannot be read: {error.strerror}") from error


def _digest(file: Path | bytes, name: str) -> hashlib._Hash:
    if isinstance(file, bytes):
        return hashlib.sha256(file)
    with open_plain(file, name) as opened:
        return hashlib.file_digest(opened, "sha256")


def fingerprint_of(digests: Mapping[str, str]) -> str:
    """The fingerprint of a submission whose files, in this order, have these sha256."""
    whole = hashlib.sha256()
    for name, digest in digests.items():
        whole.update(os.fsencode(f"{name}\0{digest}\0"))
    return whole.hexdigest()


def _acceptable_size(path: Path, opened: Opened) -> int:
    """Bytes in all. Refuses what leads elsewhere or is too large, before the grader reads any of it."""
    for file in opened.files.values():
        if isinstance(file, Path) and file.is_symlink():
            # Its target would be copied to where the submission may read it.
            raise LoadError(f"{file}: is a symbolic link, which may lead anywhere; put the file itself there")
    size = sum(map(_size, opened.files.values()))
    if len(opened.files) > MOST_FILES or size > MOST_BYTES:
        raise LoadError(
            f"{path}: holds {len(opened.files):,} files of {format_bytes(size)} together; a submission has at most "
            f"{MOST_FILES:,} files and {format_bytes(MOST_BYTES)}"
        )
    return size


def _size(file: Path | bytes) -> int:
    return len(file) if isinstance(file, bytes) else file.stat().st_size


def holds_data(files: Mapping[str, Path | bytes]) -> bool:
    """Whether files hold more than code."""
    code = [_size(file) for name, file in files.items() if name.endswith(".py")]
    data = sum(_size(file) for name, file in files.items() if not name.endswith(".py"))
    return data > _DATA_BYTES or any(size > _CODE_BYTES for size in code)
