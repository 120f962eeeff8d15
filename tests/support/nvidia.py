"""A machine with NVIDIA's driver, as far as files go: a tree of /dev, /proc, /sys and libraries."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from harness.isolation import nvidia

NODES = ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset", "nvidia0", "nvidia1")
PCI = "sys/bus/pci/devices"
CARD, SOUND = "0000:65:00.0", "0000:00:1f.3"

WITH_SHARED_MEMORY = ["limit_memory_hidden", "limit_memory_unmapped"]
"""Cheats that are refused shared memory without a file, unless CUDA is allowed, which needs it."""
TOO_MUCH = "it needed more memory than its limit"
"""Why they fail then."""


class Machine:
    """The tree; whatever a test does not lay down is not there.

    Args:
        root: an empty folder, which stands for / from now on.
    """

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        monkeypatch.setattr(nvidia, "ROOT", root)
        monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
        self._monkeypatch = monkeypatch

    def file(self, path: str, text: str = "", mode: int = 0o644) -> Path:
        """A file with this text."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)
        return file

    def nodes(self, *names: str) -> None:
        """Device nodes; plain files stand in for them."""
        for name in names:
            self.file(f"dev/{name}", mode=0o666)

    def driver(self) -> None:
        """What the driver shows in /proc and /sys, beside a card that is not NVIDIA's."""
        for name in ("driver/nvidia/params", "driver/nvidia-uvm/fault", "driver/rtc", "devices", "modules", "version"):
            self.file(f"proc/{name}", f"{name}\n")
        for slot, vendor in ((CARD, "0x10de"), (SOUND, "0x8086")):
            folder = f"sys/devices/pci0000:00/{slot}"
            self.file(f"{folder}/vendor", f"{vendor}\n")
            self.file(f"{folder}/numa_node", "0\n")
            self.file(f"{folder}/resource0", "the card's memory", mode=0o600)
            link = self.root / PCI / slot
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(self.root / folder)

    def library(self, folder: str, copied_from: Path | None = None) -> Path:
        """The driver's library, by its long name and a link as installers leave it; optionally one that loads."""
        file = self.file(f"{folder}/libcuda.so.580.95.05")
        if copied_from is not None:
            shutil.copyfile(copied_from, file)
        (file.parent / "libcuda.so.1").symlink_to(file.name)
        return file.parent

    def cache(self, *libraries: str) -> None:
        """The linker's cache: binary fields, then strings that end in zero bytes."""
        strings = b"".join(library.encode() + b"\0" for path in libraries for library in (Path(path).name, path))
        file = self.file("etc/ld.so.cache")
        file.write_bytes(b"glibc-ld.so.cache1.1" + bytes(range(64)) + bytes(8) + strings)

    def variable(self, *folders: str) -> None:
        """``LD_LIBRARY_PATH``, of folders in the tree."""
        self._monkeypatch.setenv("LD_LIBRARY_PATH", ":".join(folders))

    def inside(self, paths: Iterable[str]) -> set[str]:
        """Those of the paths that lie in the tree, as they would read on such a machine."""
        return {f"/{Path(path).relative_to(self.root)}" for path in paths if Path(path).is_relative_to(self.root)}
