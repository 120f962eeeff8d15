"""Where NVIDIA's driver keeps its device nodes, its libraries and what else CUDA reads, however it was installed.

What must be open, and that a refusal of any of it ends in error 304, was found by NVIDIA/OpenShell (#710, #1486) and
nolabs-ai/nono (#652, #673). Nothing else of the machine is opened for CUDA.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

ROOT = Path("/")
"""What every path here starts from; tests have a tree of their own."""

LIBRARY = "libcuda.so.1"

_NODES = ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset", "nvidia[0-9]*")
_FOLDERS = (
    "usr/local/nvidia/lib64",  # Kubernetes and hosted machines mount the driver there
    "usr/lib/wsl/lib",  # WSL 2
    "run/opengl-driver/lib",  # NixOS
)
_READS = ("proc/driver/nvidia", "proc/driver/nvidia-uvm", "proc/devices", "proc/modules", "proc/version")
_PCI = "sys/bus/pci/devices"
_VENDOR = "0x10de"


class Library(NamedTuple):
    """The driver's library.

    Attributes:
        folder: where it lies, beside those that it loads.
        found_by: ``LD_LIBRARY_PATH``, ``ld.so.cache``, or ``habit``: a usual place that the linker may not know.
    """

    folder: Path
    found_by: str


def devices() -> list[str]:
    """Device nodes that CUDA opens; none on a machine without an NVIDIA GPU."""
    dev = ROOT / "dev"
    nodes = [node for pattern in _NODES for node in sorted(dev.glob(pattern), key=_number)]
    # Parts of a card that is shared out (MIG). Who may read the node of one may compute on it; the one that is closed
    # to users changes how the card is divided.
    nodes += [node for node in sorted((dev / "nvidia-caps").glob("*"), key=_number) if _is_open_to_all(node)]
    if (dev / "dxg").exists() and library() is not None:  # WSL 2 has it for cards of any maker
        nodes.append(dev / "dxg")
    return [str(node) for node in nodes]


def access(node: str) -> int:
    """How a device node is opened, as ``os.access`` takes it: to read and write, or only to read."""
    return os.R_OK if Path(node).parent.name == "nvidia-caps" else os.R_OK | os.W_OK


def missing(nodes: list[str]) -> str | None:
    """The node that CUDA needs and that is not among these; None where it has what it needs."""
    if not any(Path(node).name == "nvidiactl" for node in nodes):
        return None  # WSL 2, which does without
    uvm = str(ROOT / "dev/nvidia-uvm")
    return None if uvm in nodes else uvm


def library() -> Library | None:
    """The driver's library, as the dynamic linker would find it, or else in one of the usual places."""
    for folders, found_by in ((_in_variable(), "LD_LIBRARY_PATH"), (_in_cache(), "ld.so.cache"), (_usual(), "habit")):
        for folder in folders:
            if (folder / LIBRARY).exists():
                return Library(folder, found_by)
    return None


def search_path() -> str | None:
    """What ``LD_LIBRARY_PATH`` must hold for a worker to find the library; None where it is found without."""
    found = library()
    return str(found.folder) if found is not None and found.found_by == "LD_LIBRARY_PATH" else None


def reads() -> list[str]:
    """Files and folders that CUDA reads, apart from what every worker may read."""
    paths = [ROOT / "usr/local/cuda", *(ROOT / path for path in _READS), ROOT / _PCI, *_pci_files()]
    if (found := library()) is not None:
        paths += [found.folder, (found.folder / LIBRARY).resolve().parent]
    return [str(path) for path in dict.fromkeys(paths)]


def proc_folders() -> list[str]:
    """Folders of the driver below /proc."""
    return [str(ROOT / path) for path in _READS if path.startswith("proc/driver/")]


def _in_variable() -> list[Path]:
    folders = re.split("[:;]", os.environ.get("LD_LIBRARY_PATH", ""))
    return [ROOT / folder.lstrip("/") for folder in folders if folder.startswith("/")]


def _in_cache() -> list[Path]:
    """Folders that the linker's cache names for the library: its strings end in a zero byte each."""
    try:
        cache = (ROOT / "etc/ld.so.cache").read_bytes()
    except OSError:
        return []
    found = re.findall(rb"\0/([^\0]*)/" + re.escape(LIBRARY.encode()) + rb"(?=\0)", cache)
    return [ROOT / os.fsdecode(folder) for folder in found]


def _usual() -> list[Path]:
    return [ROOT / folder for folder in _FOLDERS]


def _pci_files() -> Iterator[Path]:
    """What the cards' own folders behind the links of /sys/bus/pci hold for everybody to read.

    Not the folders as a whole: a file such as ``resource0`` is the card's memory, and root may map it.
    """
    for link in sorted((ROOT / _PCI).glob("*")):
        with suppress(OSError):
            if (link / "vendor").read_text().strip() == _VENDOR:
                yield from sorted(each for each in link.resolve().iterdir() if each.is_file() and _is_open_to_all(each))


def _is_open_to_all(path: Path) -> bool:
    mode = path.lstat().st_mode
    return not stat.S_ISLNK(mode) and mode & stat.S_IROTH != 0


def _number(node: Path) -> int:
    return int("".join(filter(str.isdigit, node.name)) or 0)
