"""What scripts that were written to run elsewhere trip over here, each explained in a sentence with the remedy."""

from __future__ import annotations

import errno
import linecache
import os
import re
import shlex
import sys
import traceback
from pathlib import Path, PurePosixPath
from types import ModuleType

from harness.submission.choosing import FOLDER_ENTRY

_ABSENT = (errno.ENOENT, errno.ENOTDIR)
_REFUSED = (errno.EPERM, errno.EACCES)
_DATA = re.compile(
    r"(training|train|test|idlookuptable|samplesubmission|facial-?keypoints.*)(\.csv)?\.(csv|zip|gz)", re.IGNORECASE
)
_HOMES_OF_DATA = ("/kaggle", "/content", "/mnt/data")
_CHECKPOINTS = (".pt", ".pth", ".ckpt", ".bin", ".pkl", ".h5", ".keras", ".safetensors", ".npy", ".npz")

_ARGUMENTS = "a submission is run without arguments, so give each one a default, or write its value into the file"
_FACES = (
    "a submission reads no faces itself: fit(images, keypoints) gets those to learn from and predict(images) the "
    "others, and with build_model the harness does both; leave the lines out that read them"
)
_FLATTEN = (
    "scikit-learn wants one row of numbers for each face: return an object whose fit(images, keypoints) calls "
    "model.fit(images.reshape(len(images), -1), keypoints.reshape(len(keypoints), -1)), and whose predict(images) "
    "returns model.predict(images.reshape(len(images), -1)).reshape(len(images), -1, 2)"
)
_UNLABELLED = (
    "keypoints are NaN where nobody labelled them: learn from the faces that have all, "
    "complete = ~np.isnan(keypoints).any(axis=(1, 2))"
)


def explain_habit(error: BaseException, entry: Path) -> str | None:
    """What to do instead; None if it is nothing of the kind.

    Args:
        error: what a submission raised.
        entry: its Python file, in the worker's copy.
    """
    if isinstance(error, SystemExit) or (isinstance(error, IndexError) and "sys.argv" in _last_line(error)):
        return _arguments(error)
    if isinstance(error, OSError) and error.errno in _ABSENT + _REFUSED and isinstance(error.filename, str | bytes):
        return _unread(os.fsdecode(error.filename), entry, absent=error.errno in _ABSENT)
    if isinstance(error, AttributeError) and isinstance(error.obj, ModuleType):
        hint = _of_the_same_name(error.obj.__name__, entry)
        return hint and f"{error}; {hint}"
    if isinstance(error, ValueError) and _passed(error, "sklearn"):
        text = str(error)
        if re.search(r"array with dim [3-9]|2D array, got [03-9]D|ndim|y should be a 1d array", text):
            return f"{text.splitlines()[0].rstrip('.')}; {_FLATTEN}"
        if "contains NaN" in text:
            return f"{text.splitlines()[0].rstrip('.')}; {_UNLABELLED}"
    return None


def hand_in_folder(entry: Path, *others: str) -> str:
    """How to hand in a file together with others that lie beside it."""
    if entry.name == FOLDER_ENTRY:
        return f"hand in the folder that holds {entry.name} and {' and '.join(others)}"
    folder, file = shlex.quote(entry.stem), shlex.quote(entry.name)
    return (
        f"hand in a folder: mkdir {folder} && cp {file} {folder}/{FOLDER_ENTRY} && cp -r {shlex.join(others)} {folder}/"
    )


def missing_module(name: str | None, entry: Path) -> str:
    """What to do about a module that cannot be imported, or lacks what is imported from it."""
    if hint := _of_the_same_name(name, entry):
        return hint
    installed = "a submission may import what the harness installs (torch, timm, albumentations, scikit-learn, ...)"
    if entry.name == FOLDER_ENTRY or not name:
        return f"{installed}, and what lies in its own folder if that is what is handed in"
    file = f"{name.partition('.')[0]}.py"
    return f"{installed}, and a single file is handed in alone; if {file} lies beside it, {hand_in_folder(entry, file)}"


def _of_the_same_name(name: str | None, entry: Path) -> str | None:
    """Where a file of the submission has the name of a module, and the module was imported instead."""
    top = (name or "").partition(".")[0]
    for file in (f"{top}.py", top):
        if top and (entry.parent / file).exists() and not _is_own(sys.modules.get(top), entry.parent):
            return f"{file} has the name of an installed module, which is imported in its place; rename it"
    return None


def _is_own(module: ModuleType | None, folder: Path) -> bool:
    file = getattr(module, "__file__", None)
    return module is None or (isinstance(file, str) and Path(file).is_relative_to(folder))


def _arguments(error: BaseException) -> str | None:
    if isinstance(error, IndexError):
        return f"it asks for arguments in sys.argv; {_ARGUMENTS}"
    asked = isinstance(error, SystemExit) and error.code == 2 and _passed(error, "argparse", "click")
    return f"it asks for arguments; {_ARGUMENTS}" if asked else None


def _unread(name: str, entry: Path, *, absent: bool) -> str | None:
    """About a file that is not there, or may not be read; None where there is nothing better to say than the system."""
    file = PurePosixPath(name)
    if _DATA.fullmatch(file.name) or name.startswith(_HOMES_OF_DATA):
        return f"cannot read {name}; {_FACES}"
    if not absent:
        return None
    if (entry.parent / file.name).exists():
        return f"cannot read {name} from the folder in which it is run; open Path(__file__).parent / {file.name!r}"
    if file.suffix not in _CHECKPOINTS:
        return None
    how = f"since a single file is handed in alone; {hand_in_folder(entry, name)}"
    if entry.name == FOLDER_ENTRY:
        how = "since it is not in the folder that is handed in; put it there"
    return f"cannot read {name}, {how}; then open Path(__file__).parent / {file.name!r}"


def _passed(error: BaseException, *packages: str) -> bool:
    names = (str(frame.f_globals.get("__name__")) for frame, _ in traceback.walk_tb(error.__traceback__))
    return any(name.partition(".")[0] in packages for name in names)


def _last_line(error: BaseException) -> str:
    places = list(traceback.walk_tb(error.__traceback__))
    return linecache.getline(places[-1][0].f_code.co_filename, places[-1][1]) if places else ""
