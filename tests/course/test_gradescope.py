"""The autograder for Gradescope, with the container's folders laid out here."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.kits import Kit, commands, write_kit
from support.submissions import MEAN_FACE, estimator
from support.views import check_gradescope

from harness.grading.predictions import write_wide
from harness.isolation.cgroups import make_cgroup
from harness.isolation.limits import MIB, Limits
from harness.keypoints import FACE15

CPU, SECONDS, MEMORY = 0.5, 600, 768 * MIB
"""What Gradescope gives an autograder without being asked."""

# Instead of what the build fetches: the wheel alone is installed, beside the libraries that are here. `harness doctor`,
# which would start workers for seconds, is left out.
STUBS = {
    "apt-get": "",
    "python3": "",
    "uv": """
        case "$*" in
            "venv "*) mkdir -p "${!#}/bin" ;;
            *torchvision) ;;
            "pip install "*) $PYTHON -m pip install -q --no-deps --no-index --target $SITE "${!#}"
                ln -s $SITE/bin/grade "$(dirname "$5")"
                printf '#!/bin/sh\\n[ $1 = doctor ] || exec %s "$@"\\n' $SITE/bin/harness > "$(dirname "$5")/harness"
                chmod 755 "$(dirname "$5")/harness" ;;
        esac""",
}


class Container:
    """Gradescope's container: /autograder is a folder of its own here."""

    def __init__(self, kit: Kit) -> None:
        self.kit, self.root = kit, kit.folder.parent / "autograder"
        self.source, self.submission, self.results = (self.root / name for name in ("source", "submission", "results"))

    def build(self) -> None:
        """Lay out the zip as Gradescope does, and run setup.sh."""
        bin_folder = self.kit.folder.parent / "stubs"
        for folder in (self.source, self.submission, self.results, bin_folder):
            folder.mkdir(parents=True)
        for name, text in STUBS.items():
            (bin_folder / name).write_text(f"#!/bin/bash\nset -eu\n{text}\n")
            (bin_folder / name).chmod(0o755)
        with zipfile.ZipFile(self.kit.folder / "autograder.zip") as archive:
            for file in archive.infolist():
                Path(archive.extract(file, self.source)).chmod(file.external_attr >> 16)
        shutil.copy(self.source / "run_autograder", self.root)
        subprocess.run(["bash", self.source / "setup.sh"], env=self.environment(bin_folder), check=True)

    def environment(self, bin_folder: Path | None = None) -> dict[str, str]:
        first = [str(bin_folder)] if bin_folder else []
        path = os.pathsep.join([*first, os.environ["PATH"]])
        return {**self.kit.environment, "PATH": path, "PYTHON": sys.executable, "SITE": str(self.kit.site)}

    def grade(self, lay: Callable[[Path], object]) -> tuple[int, dict[str, Any]]:
        """The exit code of run_autograder for what is laid into the folder of a submission, and results.json."""
        for file in self.submission.iterdir():
            file.unlink()
        lay(self.submission)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        cgroup = make_cgroup(Limits(memory=MEMORY))
        bounded = cgroup is not None and cgroup.bounds_memory  # else this machine cannot hold it to 768 MB
        try:
            command = [*(cgroup.command if cgroup else []), str(self.root / "run_autograder")]
            code = subprocess.run(command, cwd=self.root, env=self.environment(), check=False).returncode
            assert not (bounded and cgroup.ran_out_of_memory())
        finally:
            if cgroup:
                cgroup.remove()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        assert used < CPU * SECONDS
        return code, check_gradescope((self.results / "results.json").read_text())


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory) -> Container:
    """One that was built from a kit with a small benchmark, whose autograder was zipped again as its page says."""
    kit = write_kit(tmp_path_factory.mktemp("gradescope") / "vision", "gradescope")
    kit.shrink()
    (again,) = (command for command in commands(kit.folder / "README.md") if "-c autograder.zip" in command)
    assert kit.run(again, kit.folder) == (0, "")
    container = Container(kit)
    container.build()
    return container


def test_the_autograder_is_zipped_when_the_kit_is_written(tmp_path: Path) -> None:
    kit = write_kit(tmp_path / "vision", "gradescope")
    (again,) = (command for command in commands(kit.folder / "README.md") if "-c autograder.zip" in command)
    path = kit.folder / "autograder.zip"

    def inside() -> dict[str, tuple[int, int]]:
        with zipfile.ZipFile(path) as archive:
            return {each.filename: (each.external_attr >> 16, each.CRC) for each in archive.infolist()}

    written = inside()
    path.unlink()
    kit.run(again, kit.folder)

    assert written == inside()
    assert written["run_autograder"][0] & 0o111 and not written["seed"][0] & 0o077


def test_a_table_of_predictions_is_scored(container: Container) -> None:
    points = np.full((16, 15, 2), 48, np.float32)

    code, results = container.grade(lambda folder: write_wide(folder / "points.csv", points, np.arange(1, 17), FACE15))

    assert (code, results["score"]) == (0, 0)
    assert [each["order"] for each in results["leaderboard"]] == ["asc"]


def test_weights_are_loaded_and_predict_within_what_gradescope_gives(container: Container) -> None:
    def lay(folder: Path) -> None:
        from safetensors.torch import save_file

        example = (container.kit.folder / "students" / "submissions" / "example.py").read_text()
        names: dict[str, Any] = {}
        exec(example, names)
        save_file(names["build_model"](FACE15, (96, 96)).state_dict(), folder / "mine.safetensors")
        (folder / "mine.py").write_text(f'{example}\nweights = "mine.safetensors"\n')

    code, results = container.grade(lay)

    assert (code, results["score"]) == (0, 0)
    assert results["leaderboard"][0]["value"] > 1.6 and results["output"].startswith("**below ok")


def test_a_submission_that_reads_what_is_the_graders_fails_and_the_autograder_does_not(container: Container) -> None:
    files = [container.source / "seed", container.source / "benchmark.toml", *container.results.iterdir()]
    assert all(file.read_text() for file in files)
    reads = "; ".join(f"read({str(file)!r})" for file in files)
    top = """
def read(file):
    try:
        print('It read', open(file).read())
    except OSError:
        print('nothing')
"""
    text = estimator(fit=f"{reads}; raise ValueError('done')", top=top)

    code, results = container.grade(lambda folder: (folder / "mine.py").write_text(text))

    assert (code, results["score"]) == (0, 0) and "done" in results["output"]
    assert results["output"].count("nothing") == len(files) and "It read" not in results["output"]


def test_nobody_gets_a_score_for_a_fault_of_the_autograder(container: Container) -> None:
    seed = container.source / "seed"
    secret = seed.read_text()
    seed.write_text("guessed\n")
    try:
        code, results = container.grade(lambda folder: (folder / "mine.py").write_text(MEAN_FACE))
    finally:
        seed.write_text(secret)

    assert code == 3 and "score" not in results
