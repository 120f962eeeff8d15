"""Tunes a small network for real, kills the tuner with SIGKILL again and again, and looks each time at what is left.

    PYTHONPATH=tests python tests/bench/study.py [TRIALS]

Printed: each kill with the trials that were finished by then, whether one of them was lost or changed, and the best
validation error beside that of the submission as it is. Thirty trials take some minutes.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState
from support.submissions import NETWORK
from support.tiny import CARD, draw_faces, write_kaggle

FACES, SUBJECTS, EPOCHS = 240, 60, 20
SPURT = 6
"""Finished trials, at most, from one kill to the next."""


def furnish(folder: Path) -> list[str]:
    """Write faces, card and submission; the command that tunes it."""
    images, keypoints = draw_faces(FACES)
    write_kaggle(folder / "faces", images, keypoints, [f"S{row % SUBJECTS}" for row in range(FACES)])
    (folder / "tiny.toml").write_text(CARD)
    (folder / "small.py").write_text(NETWORK.replace("epochs=2", f"epochs={EPOCHS}"))
    return [
        *(sys.executable, "-c", "import harness.cli as c; raise SystemExit(c.main())", "tune", "small.py"),
        *("--benchmark", "tiny.toml", "--data", "faces", "--device", "cpu", "--study", "study.journal"),
    ]


def finished(journal: Path) -> dict[int, tuple[str, list[float] | None]]:
    """State and value of each trial that came to an end and was not given up."""
    if not journal.exists():
        return {}
    storage = JournalStorage(JournalFileBackend(str(journal)))
    names = optuna.get_all_study_names(storage)
    trials = optuna.load_study(study_name=names[0], storage=storage).trials if names else []
    return {
        trial.number: (trial.state.name, trial.values)
        for trial in trials
        if trial.state in (TrialState.COMPLETE, TrialState.PRUNED) or "reason" in trial.user_attrs
    }


def live(command: list[str], folder: Path, until: int, longer: float) -> str | None:
    """Tune until so many trials are finished and some seconds longer; what was shown if it came to its end by then."""
    variables = {**os.environ, "TMPDIR": str(folder), "XDG_CACHE_HOME": str(folder / "cache")}
    with subprocess.Popen(command, cwd=folder, env=variables, stdout=subprocess.PIPE, text=True) as tuner:
        while tuner.poll() is None and len(finished(folder / "study.journal")) < until:
            time.sleep(0.2)
        try:
            return tuner.communicate(timeout=longer)[0]
        except subprocess.TimeoutExpired:
            tuner.kill()
            return None


def main(total: int) -> None:
    """Kill and resume until there are so many trials."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="study-") as name:
        folder, moments = Path(name), random.Random(0)
        command = [*furnish(folder), "--trials", str(total)]
        started, kills, lost = time.monotonic(), 0, 0
        kept: dict[int, tuple[str, list[float] | None]] = {}
        shown = None
        while shown is None:
            shown = live(command, folder, len(kept) + moments.randrange(SPURT), moments.uniform(0, 10))
            now = finished(folder / "study.journal")
            gone = [number for number, trial in kept.items() if now.get(number) != trial]
            lost, kept = lost + len(gone), now
            kills += shown is None
            print(f"{time.monotonic() - started:4.0f} s, {kills} kills: {len(now)} trials finished, {len(gone)} lost")
        states = [state for state, _ in kept.values()]
        values = [values[0] for state, values in kept.values() if state == "COMPLETE" and values]
        print(shown)
        print(
            f"{len(kept)} trials, {states.count('PRUNED')} of them pruned, {kills} kills, {lost} finished trials lost; "
            f"validation error as it is {values[0]:.3f} px, the best {min(values):.3f} px"
        )
    if lost or len(kept) != total or min(values) > values[0]:
        raise SystemExit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30)
