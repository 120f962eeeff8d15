"""What a class handed in, as a learning management system exports it: who, when, and which file is the submission.

To add a system: write a function from a downloaded folder to its students, and put it into ``_SYSTEMS``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.errors import LoadError, UsageError
from harness.files import read_regular
from harness.submission.archives import unpack
from harness.submission.choosing import choose
from harness.submission.source import Source, find_source, refused_source
from harness.text import file_name

_MOST_STUDENT_FILES, _MOST_STUDENT_BYTES = 2000, 2**30
_MOST_CLASS_FILES, _MOST_CLASS_BYTES = 200_000, 2**35
_LONGEST_METADATA = 2**26

_MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)_?(?P<file>.*)", re.DOTALL)
_CANVAS = re.compile(r"(?P<name>[^\W_]+?)_(?P<late>LATE_)?(?P<id>\d+)_(?P<submission>\d+)_(?P<file>.+)", re.DOTALL)
_AGAIN = re.compile(r"-\d+(?=\.\w+$)")
_GRADESCOPE = "submission_metadata.yml"


@dataclass(frozen=True)
class Student:
    """Somebody on the course.

    Attributes:
        name: as the system writes it.
        ids: what may stand for the student in a grade book: a number, a login, an address.
    """

    name: str
    ids: tuple[str, ...] = ()


@dataclass
class _Parcel:
    """What came together: whose it is, whether the system marks it as late, and name -> file or folder."""

    students: list[Student]
    late: bool = False
    files: dict[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class HandIn:
    """What one student, or a group, handed in.

    Attributes:
        students: whose it is.
        author: their name on the board.
        late: whether the system marks it so.
        source: the submission in it; None where nothing was handed in at all.
    """

    students: tuple[Student, ...]
    author: str
    late: bool
    source: Source | None


def find_hand_ins(downloads: Path, work: Path) -> list[HandIn]:
    """What the students of a class handed in; nothing of it is run.

    Args:
        downloads: a folder or a zip: Moodle's, Canvas's or Gradescope's download, or one with a folder per author.
        work: an empty folder for what has to be unpacked, to be kept for as long as the submissions are needed.

    Raises:
        UsageError: nothing was found there.
        LoadError: the zip cannot be unpacked.
    """
    if downloads.is_file():
        unpack(downloads, work / "class", most_files=_MOST_CLASS_FILES, most_bytes=_MOST_CLASS_BYTES)
        downloads = work / "class"
    if not downloads.is_dir():
        raise UsageError(f"{downloads}: there is no such folder or zip; name what was downloaded from the course")
    parcels: list[_Parcel] = next((found for system in _SYSTEMS if (found := system(downloads))), [])
    if not parcels:
        raise UsageError(f"{downloads}: nobody's files are there; put each author's into a folder of their own")
    return [
        HandIn(tuple(parcel.students), author, parcel.late, _submission(parcel, author, work))
        for author, parcel in zip(_authors(parcels), parcels, strict=True)
    ]


def _moodle(folder: Path) -> list[_Parcel]:
    """A folder a participant, or the same as a prefix of each file."""
    parcels: dict[str, _Parcel] = {}
    for path in _inside(folder):
        if match := _MOODLE.fullmatch(path.name):
            parcel = parcels.setdefault(match["id"], _Parcel([Student(match["name"], (match["id"],))]))
            parcel.files[match["file"] or path.name] = path
    return list(parcels.values())


def _canvas(folder: Path) -> list[_Parcel]:
    """One flat folder; the name of a file that was handed in again ends in -1, -2, and so on."""
    parcels: dict[str, _Parcel] = {}
    for path in _inside(folder):
        match = _CANVAS.fullmatch(path.name)
        if match is None or not path.is_file():
            return []  # another system's
        parcel = parcels.setdefault(match["id"], _Parcel([Student(match["name"], (match["id"],))]))
        parcel.late = parcel.late or match["late"] is not None
        parcel.files[_AGAIN.sub("", match["file"])] = path
    return list(parcels.values())


def _gradescope(folder: Path) -> list[_Parcel]:
    """A folder a submission, and one file that says whose each is."""
    about = next((path for path in (folder / _GRADESCOPE, *folder.glob(f"*/{_GRADESCOPE}")) if path.is_file()), None)
    if about is None:
        return []
    import yaml

    try:
        table = yaml.safe_load(read_regular(about, _LONGEST_METADATA))
        return [
            _Parcel(
                [Student(each[":name"], tuple(_ids(each))) for each in record[":submitters"]],
                files={name: about.parent / name} if (about.parent / name).is_dir() else {},
            )
            for name, record in table.items()
        ]
    except (OSError, yaml.YAMLError, AttributeError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(f"{about}: is not what Gradescope exports ({error}); export the submissions anew") from error


def _ids(submitter: dict[str, object]) -> Iterator[str]:
    for key in (":email", ":sid"):
        if submitter.get(key) not in (None, ""):
            yield str(submitter[key])


def _folders(folder: Path) -> list[_Parcel]:
    """A folder an author, as in clones of a classroom's repositories."""
    return [
        _Parcel([Student(path.name, (path.name,))], files={path.name: path})
        for path in _inside(folder)
        if path.is_dir() and not path.is_symlink()
    ]


_SYSTEMS: tuple[Callable[[Path], list[_Parcel]], ...] = (_moodle, _gradescope, _canvas, _folders)


def _inside(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith((".", "__MACOSX")))


def _authors(parcels: list[_Parcel]) -> Iterator[str]:
    """A name for each; with a number where two people have the same."""
    names = [file_name(" ".join(student.name for student in parcel.students)) for parcel in parcels]
    times = Counter(names)
    for name, parcel in zip(names, parcels, strict=True):
        ids = [student.ids[0] for student in parcel.students if student.ids]
        yield file_name("-".join([name[:40], *ids])) if times[name] > 1 else name


def _submission(parcel: _Parcel, author: str, work: Path) -> Source | None:
    try:
        files = dict(_all_files(parcel, work / author))
        if not files:
            return None
        chosen = choose(files)
        source = replace(find_source(chosen), author=author)
        # A folder that the system made, rather than its author, has the system's name.
        return replace(source, name="submission") if chosen in parcel.files.values() and chosen.is_dir() else source
    except LoadError as error:
        # Where it was unpacked is another place each time, and means nothing to anyone.
        refused = refused_source(Path(author), str(error).replace(f"{work}/", ""))
        return replace(refused, author=author, name="hand-in")


def _all_files(parcel: _Parcel, work: Path) -> Iterator[tuple[str, Path]]:
    """Every file by the name that its author gave it, those in zips too."""
    for name, path in parcel.files.items():
        if path.is_symlink():
            continue
        if path.is_dir():
            files = {str(file.relative_to(path)): file for file in _walk(path)}
        else:
            files = {name: path if path.name == name else _copied(path, work / "files" / name)}
        for inner, file in files.items():
            if file.suffix.lower() != ".zip":
                yield inner, file
                continue
            folder = work / inner[: -len(".zip")]
            unpack(file, folder, most_files=_MOST_STUDENT_FILES, most_bytes=_MOST_STUDENT_BYTES)
            yield from ((f"{inner}/{each.relative_to(folder)}", each) for each in _walk(folder))


def _walk(folder: Path) -> Iterator[Path]:
    waiting, count = [folder], 0
    while waiting:
        for path in _inside(waiting.pop()):
            count += 1
            if count > _MOST_STUDENT_FILES:
                raise LoadError(f"{folder}: holds more than {_MOST_STUDENT_FILES:,} files; hand in only what is needed")
            if path.is_symlink():
                continue
            if path.is_dir() and path.name != "__pycache__":
                waiting.append(path)
            elif path.is_file():
                yield path


def _copied(file: Path, to: Path) -> Path:
    """A file under the name that its author gave it, which is its submission's name."""
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_bytes(file.read_bytes())
    return to
