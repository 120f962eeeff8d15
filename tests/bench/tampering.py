"""Tampers with a board in every way that tests/support/tampering.py knows, and shows what `verify` says of each.

PYTHONPATH=tests python tests/bench/tampering.py
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from support.tampering import KINDS, copy_of, honest


def main() -> None:
    """Print each kind with the sentences that name what was changed, and how many are not named."""
    missed = 0
    with tempfile.TemporaryDirectory(prefix="tampering-") as folder:
        os.environ["XDG_CACHE_HOME"] = str(Path(folder) / "cache")
        (Path(folder) / "honest").mkdir()
        board = honest(Path(folder) / "honest")
        code, said = board.command("verify")
        assert code == 0, said
        for number, (kind, tamper) in enumerate(KINDS.items()):
            copied = copy_of(board, Path(folder) / str(number))
            name = tamper(copied)
            code, said = copied.command("verify")
            sentences = [line.strip() for line in said.splitlines() if "changed:" in line]
            named = code == 1 and any(name in line for line in sentences)
            missed += not named
            print(f"{kind}: {'named' if named else 'NOT NAMED'}")
            print("\n".join(f"  {line.replace(str(copied.folder), '.')}" for line in sentences))
    print(f"{len(KINDS)} kinds of tampering, {missed} of them not named")
    if missed:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
