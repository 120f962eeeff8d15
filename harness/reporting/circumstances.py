"""How a grading was made: where it was trained, with what, how long it took and how it was isolated."""

from __future__ import annotations

from harness.grading.entry import Entry
from harness.reporting.tricks import shown
from harness.units import format_bytes, format_seconds

_ORIGINS = {
    "files": "read from files",
    "practice": "for practice: anyone can draw them",
    "secret": "secret: only those who know the seed can draw them",
}


def circumstances(entry: Entry) -> list[tuple[str, str]]:
    """Name and value of what is known."""
    told = " (as it reported)" if entry.told else ""
    where = {"here": "here", "brought": "it brought weights or data", "nothing": "nowhere"}
    rows = [
        ("Trained", where.get(entry.trained, "")),
        ("Time", format_seconds(entry.seconds.total)),
        ("of which training", format_seconds(entry.seconds.training) if entry.seconds.training else ""),
        ("Device", entry.device and entry.device + told),
        ("Peak memory", format_bytes(entry.peak_memory) if entry.peak_memory else ""),
        ("Isolation", f"{entry.isolation} {entry.held and f'({entry.held})'}".strip()),
        ("Seed", "" if entry.seed is None else f"{entry.seed}{told}"),
        ("Changed from outside", ", ".join(f"{name}={shown(value)}" for name, value in entry.overrides.items())),
        ("Without effect", ", ".join(entry.not_applied)),
        ("Held-out faces", _ORIGINS.get(entry.held_out, "")),
        *((f"Fingerprint of the {name}", digest[:12]) for name, digest in entry.fingerprints.items()),
        ("Versions", ", ".join(f"{name} {version}" for name, version in entry.versions.items())),
    ]
    return [(name, value) for name, value in rows if value]
