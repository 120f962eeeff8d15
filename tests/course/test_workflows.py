"""The kits for GitHub and GitLab: their workflows pass schemas and zizmor, and each of their commands is run."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import yaml
from support.kits import write_kit
from support.submissions import MEAN_FACE
from support.tiny import REPOSITORY

ACTION = REPOSITORY / "action.yml"
BIN = Path(sys.executable).parent
TOKEN = re.compile(r"^::stop-commands::(\w{64})$", re.MULTILINE)
GH = """#!/bin/sh
echo "$@" >> {log}
case "$*" in *user.login*) echo 7 ana;; api*) echo 7;; esac
exit 0
"""


def workflow(name: str) -> dict[str, dict]:
    text = (REPOSITORY / "harness/course/kit" / name).read_text()
    return yaml.safe_load(text)


CHECK, GRADE = (workflow(f"github/.github/workflows/{name}.yml")["jobs"] for name in ("check", "grade"))
GITLAB = workflow("gitlab/.gitlab-ci.yml")


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-workflows", sorted((REPOSITORY / "harness/course/kit/github/.github/workflows").iterdir())),
        ("vendor.github-actions", [ACTION]),
        ("vendor.gitlab-ci", [REPOSITORY / "harness/course/kit/gitlab/.gitlab-ci.yml"]),
    ],
)
def test_the_files_keep_the_published_schemas(schema: str, files: list[Path]) -> None:
    subprocess.run([BIN / "check-jsonschema", "--builtin-schema", schema, *files], check=True)


def test_zizmor_finds_nothing() -> None:
    audited = [REPOSITORY / "harness/course/kit/github", REPOSITORY / ".github", ACTION]
    subprocess.run([BIN / "zizmor", "--offline", "--quiet", *audited], check=True)


def test_only_jobs_without_a_submission_have_a_secret_or_may_write() -> None:
    text = yaml.safe_dump({"check": CHECK["check"], "train": GRADE["train"]})

    assert "secrets.HARNESS" not in text and "environment" not in text and "write" not in text
    assert all("submission" not in yaml.safe_dump(GRADE[job]) for job in ("faces", "score"))
    assert "environment" not in GITLAB["check"] and "environment" not in GITLAB["train"]
    assert GITLAB["faces"]["environment"] == GITLAB["score"]["environment"] == "grading"


def test_what_strangers_name_reaches_no_shell() -> None:
    commands = [step.get("run", "") for job in (*CHECK.values(), *GRADE.values()) for step in job["steps"]]
    commands += [step.get("run", "") for step in yaml.safe_load(ACTION.read_text())["runs"]["steps"]]

    assert [command for command in commands if "${{" in command] == []


class Course:
    """A repository that was made of a kit, a pull request's branch, and a machine to run jobs on."""

    def __init__(self, root: Path, system: str) -> None:
        self.root, self.kit = root, write_kit(root / "vision", system)
        self.kit.shrink()
        self.temp, self.stubs, self.calls = root / "temp", root / "stubs", root / "gh.log"
        for folder in (self.temp, self.stubs):
            folder.mkdir()
        self.stub("gh", GH.format(log=self.calls))
        for name, module in (("harness", "harness.cli"), ("grade", "harness.cli.grade")):
            start = f"from {module} import main; raise SystemExit(main())"
            self.stub(name, f"#!/bin/sh\nexec {sys.executable} -c '{start}' \"$@\"\n")
        self.board = root / "board.git"
        self.git("init", "-q", "--bare", str(self.board), where=root)
        self.git("init", "-q", "-b", "main")
        self.git("add", ".")
        self.git("commit", "-qm", "A kit")
        self.base = self.git("rev-parse", "HEAD")
        self.seed = (self.kit.folder / "secret" / "seed").read_text().strip()

    def stub(self, name: str, text: str) -> None:
        (self.stubs / name).write_text(text)
        (self.stubs / name).chmod(0o755)

    def git(self, *words: str, where: Path | None = None) -> str:
        known = ["-c", "user.name=a", "-c", "user.email=a@localhost"]
        command = ["git", *known, *words]
        return subprocess.run(
            command, cwd=where or self.kit.folder, check=True, capture_output=True, text=True
        ).stdout.strip()

    def hand_in(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = self.kit.folder / "submissions" / name
            path.parent.mkdir(exist_ok=True, parents=True)
            path.write_text(text)
        self.git("add", ".")
        self.git("commit", "-qm", "Hand in")

    def run(self, command: str, **variables: str) -> tuple[int, str]:
        """Exit code and text of a step, which stops at the first command that fails."""
        path = os.pathsep.join([str(self.stubs), str(BIN), os.environ["PATH"]])
        own = {
            "PATH": path,
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_STEP_SUMMARY": str(self.root / "summary.md"),
            "PYTHONPATH": str(REPOSITORY),
            "XDG_CACHE_HOME": str(self.root / "cache"),
            "REMOTE": str(self.board),
            "REPOSITORY": "teacher/vision",
            "HEAD_SHA": "0" * 40,
        }
        kept = {name: value for name, value in os.environ.items() if name in ("HOME", "TMPDIR")}
        command = re.sub("^pip install .*$", "true", command, flags=re.MULTILINE)
        ran = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", command],
            cwd=self.kit.folder,
            env={**kept, **own, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return ran.returncode, ran.stdout

    def job(self, job: Mapping, **variables: str) -> tuple[int, str]:
        """Every `run:` of a job, in order, until one fails."""
        said = ""
        for step in job["steps"]:
            if "run" in step:
                code, text = self.run(step["run"], **variables)
                said += text
                if code:
                    return code, said
        return 0, said

    def carry(self, artifact: str, folder: str) -> None:
        """What the actions that store and fetch an artifact do."""
        (self.temp / folder).mkdir(exist_ok=True)
        path = self.kit.folder / artifact
        path.rename(self.temp / folder / path.name)

    def rows(self) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.git("show", "board:vision.csv", where=self.board))))


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return Course(tmp_path, "github")


def test_a_pull_request_is_checked_trained_scored_and_answered(course: Course) -> None:
    course.hand_in({"ana/model.py": MEAN_FACE})
    assert course.job(CHECK["check"], BASE=course.base)[0] == 0
    course.carry("submission.zip", "handed-in")

    assert course.job(GRADE["faces"], HARNESS_SECRET_SEED=course.seed)[0] == 0
    course.carry("faces/test.csv", "faces")
    code, said = course.job(GRADE["train"])
    assert code == 0, said
    (token,) = TOKEN.findall(said)
    assert said.endswith(f"::{token}::\n")
    course.carry("predictions.npy", "predicted")
    code, said = course.job(GRADE["score"], HARNESS_SECRET_SEED=course.seed)
    assert code == 0, said

    (row,) = course.rows()
    assert (row["author"], row["status"], row["isolation"]) == ("ana", "graded", "no code")
    assert "mean pixel error" in (course.root / "summary.md").read_text()
    assert "pr comment 7 --repo teacher/vision --body-file comment.md" in course.calls.read_text()


def test_a_grading_that_fails_is_answered_too(course: Course) -> None:
    code, _ = course.job(GRADE["failed"], RUN="https://example.org/run/1")

    assert code == 0
    assert "It could not be graded. The log says why: https://example.org/run/1" in course.calls.read_text()


HOSTILE = "::error::x\n::set-output name=a::b"


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"../../model.py": MEAN_FACE}, "leads out of its folder"),
        pytest.param({"/etc/model.py": MEAN_FACE}, "leads out of its folder", marks=pytest.mark.slow),
        pytest.param({}, "no file of these is a submission", marks=pytest.mark.slow),
        pytest.param({"a.py": MEAN_FACE, "b.py": MEAN_FACE}, "there are several submissions", marks=pytest.mark.slow),
        ({f"{HOSTILE}.txt": "x"}, "leads out of its folder"),
        ({"model.py": f"print({HOSTILE!r})\nraise ValueError({HOSTILE!r})"}, "ValueError"),
    ],
    ids=["out of the folder", "an absolute path", "nothing", "two", "a command in a name", "a command that is printed"],
)
def test_a_submission_that_is_not_one_trains_nothing(course: Course, members: dict[str, str], reason: str) -> None:
    (course.temp / "handed-in").mkdir()
    with zipfile.ZipFile(course.temp / "handed-in" / "submission.zip", "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    assert course.job(GRADE["faces"], HARNESS_SECRET_SEED=course.seed)[0] == 0
    course.carry("faces/test.csv", "faces")

    code, said = course.job(GRADE["train"])

    assert code == 2 and reason in said
    assert not (course.kit.folder / "predictions.npy").exists()
    # GitHub obeys no line between the two that have the token.
    (token,) = TOKEN.findall(said)
    between = said.split(f"::stop-commands::{token}\n")[1].split(f"::{token}::\n")
    assert between[1] == "" and said.startswith("::stop-commands::")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(np.zeros((16, 14, 2), np.float32), "has the shape (16, 14, 2)", marks=pytest.mark.slow),
        (np.full((16, 15, 2), np.nan, np.float32), "NaN or infinite"),
        (np.array([{"a": 1}], dtype=object), "values of type"),
        pytest.param(b"::set-output name=a::b\n", "is not a .npy file", marks=pytest.mark.slow),
    ],
    ids=["another shape", "NaN", "a pickle", "text"],
)
def test_a_forged_array_is_a_failed_entry(course: Course, content: np.ndarray | bytes, reason: str) -> None:
    (course.temp / "predicted").mkdir()
    with (course.temp / "predicted" / "predictions.npy").open("wb") as file:
        file.write(content) if isinstance(content, bytes) else np.save(file, content)
    steps = {step["name"]: step["run"] for step in GRADE["score"]["steps"] if "run" in step}

    codes = {name: course.run(run, HARNESS_SECRET_SEED=course.seed) for name, run in steps.items()}

    assert {name for name, (code, _) in codes.items() if code} == {"Score it"}
    (row,) = course.rows()
    assert row["status"] == "failed" and reason in row["reason"]


def test_names_of_files_are_names_and_no_commands(course: Course) -> None:
    course.hand_in({"$(touch owned); touch owned #/model.py": MEAN_FACE})

    code, said = course.job(CHECK["check"], BASE=course.base)

    assert code == 0, said
    assert not list(course.root.rglob("owned"))


@pytest.mark.slow
def test_a_merge_request_is_checked_and_what_is_merged_graded(tmp_path: Path) -> None:
    course = Course(tmp_path, "gitlab")
    course.hand_in({"ana/model.py": MEAN_FACE})
    given = {
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": course.base,
        "CI_COMMIT_BEFORE_SHA": course.base,
        "GITLAB_USER_LOGIN": "ana",
    }

    for job in ("check", "faces", "train", "score"):
        secret = {"HARNESS_SECRET_SEED": course.seed} if "environment" in GITLAB[job] else {}
        code, said = course.run("\n".join(GITLAB[job]["script"]), **given, **secret)
        assert code == 0, said

    (row,) = course.rows()
    assert (row["author"], row["status"]) == ("ana", "graded")


def test_the_action_grades_what_lies_in_a_repository(course: Course) -> None:
    course.hand_in({"model.py": MEAN_FACE})
    (step,) = (step for step in yaml.safe_load(ACTION.read_text())["runs"]["steps"] if step.get("id") == "grade")
    given = {"SUBMISSION": "submissions/model.py", "BENCHMARK": "students/benchmark.toml", "REQUIRE": "ok"}
    output = course.root / "output"

    code, said = course.run(step["run"], **given, GITHUB_OUTPUT=str(output))

    assert code == 1, said
    entry = json.loads(Path(output.read_text().strip().removeprefix("entry=")).read_text())
    assert entry["status"] == "graded"
    assert "mean pixel error" in (course.root / "summary.md").read_text()
