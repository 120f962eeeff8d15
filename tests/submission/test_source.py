from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.errors import LoadError
from harness.submission.source import find_or_refuse, find_source, name_authors


def test_a_file_comes_with_its_docstring_and_its_weights_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text('"""What I did."""\nweights = "mine.safetensors"\n')
    (tmp_path / "mine.safetensors").write_bytes(b"w")
    (tmp_path / "rival.py").write_text("secret")

    source = find_source(tmp_path / "mine.py")
    source.pack().write_to(tmp_path / "copy")

    assert (source.name, source.entry, source.description) == ("mine", "mine.py", "What I did.")
    assert sorted(path.name for path in (tmp_path / "copy").iterdir()) == ["mine.py", "mine.safetensors"]


@pytest.mark.parametrize(
    "weights", ["../mine.safetensors", "/etc/passwd", "alice.py", ".netrc", "alice.safetensors", "mine.npz"]
)
@pytest.mark.parametrize("line", ["weights = {!r}", "weights: str = {!r}"])
def test_the_weights_of_a_single_file_bear_its_name(tmp_path: Path, weights: str, line: str) -> None:
    if "/" not in weights:
        (tmp_path / weights).write_text("somebody else's")
    (tmp_path / "mine.py").write_text(line.format(weights))

    with pytest.raises(LoadError, match=r"loads only 'mine\.safetensors' from beside it; .* hand in a folder with"):
        find_source(tmp_path / "mine.py")


def test_the_files_of_a_folder_are_named_as_one_likes(tmp_path: Path) -> None:
    (tmp_path / "submission.py").write_text("weights = 'best.safetensors'")
    (tmp_path / "best.safetensors").write_text("")

    assert set(find_source(tmp_path).files) == {"submission.py", "best.safetensors"}


def test_a_folder_is_taken_whole_but_for_caches(tmp_path: Path) -> None:
    for name in ("team/submission.py", "team/parts/layers.py", "team/__pycache__/x.pyc", "team/.git/config"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")

    source = find_source(tmp_path / "team")

    assert (source.name, source.entry) == ("team", "submission.py")
    assert set(source.files) == {"submission.py", str(Path("parts/layers.py"))}


@pytest.mark.parametrize("name", ["team/notes.txt", "team/more", "mine.py", "weighty.safetensors", "mine.csv"])
def test_a_link_is_refused_since_it_may_lead_to_the_answers(tmp_path: Path, name: str) -> None:
    (tmp_path / "team").mkdir()
    (tmp_path / "team" / "submission.py").write_text("")
    (tmp_path / "weighty.py").write_text("weights = 'weighty.safetensors'")
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers" / "key").write_text("42")
    target = tmp_path / "answers" if name == "team/more" else tmp_path / "answers" / "key"
    (tmp_path / name).symlink_to(target)

    submission = name.split("/", maxsplit=1)[0].replace(".safetensors", ".py")
    with pytest.raises(LoadError, match="is a symbolic link"):
        find_source(tmp_path / submission)


@pytest.mark.timeout(10)
@pytest.mark.parametrize("name", ["mine.csv", "mine.py"])
def test_a_pipe_is_not_waited_for(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)

    with pytest.raises(LoadError, match="is a pipe or a device"):
        find_source(tmp_path / name)


def test_what_is_too_large_to_be_a_submission_is_refused_unread(tmp_path: Path) -> None:
    (tmp_path / "long.py").write_text("x = 1\n" * 200_000)
    (tmp_path / "team").mkdir()
    (tmp_path / "team" / "submission.py").write_text("")
    with (tmp_path / "team" / "weights.bin").open("wb") as file:
        file.truncate(2**40)

    with pytest.raises(LoadError, match="more than 256 KiB"):
        find_source(tmp_path / "long.py")
    with pytest.raises(LoadError, match="2 files of 1024 GiB together"):
        find_source(tmp_path / "team")


@pytest.mark.timeout(10)
def test_folders_nested_without_end_are_refused(tmp_path: Path) -> None:
    (tmp_path / "submission.py").write_text("")
    here = tmp_path
    for _ in range(1200):
        here /= "d"
        here.mkdir()

    with pytest.raises(LoadError, match="has folders in more than 16 others"):
        find_source(tmp_path)
    os.removedirs(here)  # pytest cannot delete them either, and would fail at the end of a later run


def test_a_folder_of_too_many_files_is_refused_before_it_is_read(tmp_path: Path) -> None:
    for name in ["submission.py", *(f"{number}.txt" for number in range(2001))]:
        (tmp_path / name).touch()

    with pytest.raises(LoadError, match="has more than 2,000 files"):
        find_source(tmp_path)


def test_a_pipe_in_a_folder_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "submission.py").write_text("")
    os.mkfifo(tmp_path / "pipe.py")

    assert list(find_source(tmp_path).files) == ["submission.py"]


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "text",
    [
        *("(" * 250_000, "-" * 250_000 + "1", "a" + ".a" * 120_000, "a\n" * 130_000, "lambda:" * 30_000 + "0"),
        *("# coding: punycode\n" + "a-" * 100_000, '"' + "\\ " * 100_000 + '"', "x = " + "9" * 200_000),
    ],
    ids=["brackets", "signs", "dots", "lines", "lambdas", "a slow encoding", "doubtful escapes", "a long number"],
)
def test_a_file_that_is_hard_to_parse_is_found_in_little_time(tmp_path: Path, text: str) -> None:
    (tmp_path / "mine.py").write_text(text)

    assert find_source(tmp_path / "mine.py").name == "mine"


def test_a_device_behind_a_link_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "mine.py").symlink_to("/dev/zero")

    with pytest.raises(LoadError):
        find_source(tmp_path / "mine.py")


@pytest.mark.parametrize(
    "name", ["...py", "x" * 236 + ".py", "顔" * 80 + ".py", "=cmd.py", "x" * 300 + ".py"], ids=ascii
)
def test_any_file_name_makes_a_name_for_a_folder(tmp_path: Path, name: str) -> None:
    source = find_or_refuse(tmp_path / name)

    assert 0 < len(source.name.encode()) <= 80 and source.name[0] not in ".-=/"


def test_names_and_docstrings_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "submission.py").write_text('"""half \\ud800"""')
    (tmp_path / os.fsdecode(b"\xff")).write_text("")

    source = find_source(tmp_path)

    assert source.description == "half "
    source.pack().write_to(tmp_path / "copy")


def test_the_fingerprint_follows_the_content(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"

    def fingerprint(text: str) -> str:
        file.write_text(text)
        return find_source(file).fingerprint

    assert fingerprint("x = 1") == fingerprint("x = 1") != fingerprint("x = 2")


def test_a_file_that_does_not_parse_is_found_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def (")

    assert find_source(tmp_path / "mine.py").description == ""


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (("mine.py", "mine.safetensors", "report.pdf"), "mine.py"),
        (("points.csv",), "points.csv"),
        (("team/submission.py", "team/helper.py"), "team"),
    ],
)
def test_a_folder_of_all_that_was_handed_in_is_the_one_submission_in_it(
    tmp_path: Path, files: tuple[str, ...], found: str
) -> None:
    for file in files:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text("weights = 'mine.safetensors'")

    assert find_source(tmp_path).path == tmp_path / found


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone.py", "there is no such file"),
        ("empty", "empty: is empty; hand in a folder with submission.py, a .py file"),
        ("report", "report: has no submission.py, and no file of these is a submission: report.pdf; hand in one that"),
        ("two", "two: has no submission.py, and there are several submissions: a.py, b.csv; hand in one"),
        (
            "model.pt",
            "is not a submission; hand in a folder with submission.py, a .py file, .* or a .csv, .npy or .npz of",
        ),
    ],
)
def test_what_is_no_submission(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "empty").mkdir()
    for file in ("model.pt", "report/report.pdf", "two/a.py", "two/b.csv"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_bytes(b"")

    with pytest.raises(LoadError, match=message):
        find_source(tmp_path / name)


def test_a_submission_that_changes_while_it_is_graded_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("x = 1")
    source = find_source(tmp_path / "mine.py")

    (tmp_path / "mine.py").write_text("x = 2")

    with pytest.raises(LoadError, match=r"mine\.py: was changed while it was being graded"):
        source.pack()


def test_what_is_swapped_for_a_link_after_it_was_found_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("x = 1")
    (tmp_path / "answers.py").write_text("x = 1")
    source = find_source(tmp_path / "mine.py")

    (tmp_path / "mine.py").unlink()
    (tmp_path / "mine.py").symlink_to(tmp_path / "answers.py")

    with pytest.raises(LoadError, match=r"mine\.py: cannot be read"):
        source.pack()


def test_a_folder_that_is_swapped_for_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "team" / "parts").mkdir(parents=True)
    (tmp_path / "team" / "submission.py").write_text("")
    (tmp_path / "team" / "parts" / "key").write_text("42")
    source = find_source(tmp_path / "team")

    (tmp_path / "team" / "parts").rename(tmp_path / "answers")
    (tmp_path / "team" / "parts").symlink_to(tmp_path / "answers")

    with pytest.raises(LoadError, match="key: cannot be read: Not a directory"):
        source.pack()


@pytest.mark.parametrize("name", ["team/key", "mine.py", "weighty.safetensors"])
def test_a_file_with_a_second_name_is_refused_since_it_may_be_somebody_else_s(tmp_path: Path, name: str) -> None:
    (tmp_path / "team").mkdir()
    (tmp_path / "team" / "submission.py").write_text("")
    (tmp_path / "weighty.py").write_text("weights = 'weighty.safetensors'")
    (tmp_path / "answers").write_text("42")
    os.link(tmp_path / "answers", tmp_path / name)

    submission = name.split("/", maxsplit=1)[0].replace(".safetensors", ".py")
    with pytest.raises(LoadError, match=f"{Path(name).name}: has another name besides .a hard link.; put a copy"):
        find_source(tmp_path / submission)


def test_an_installed_baseline_may_be_a_hard_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "baselines").mkdir()
    (tmp_path / "cached").write_text("")
    os.link(tmp_path / "cached", tmp_path / "baselines" / "linked.py")
    monkeypatch.setattr("harness.submission.plain_files.shipped", tmp_path.joinpath)

    assert find_source(tmp_path / "baselines" / "linked.py").name == "linked"


@pytest.mark.parametrize(
    ("files", "brings"),
    [
        ({"mine.py": 900}, False),
        ({"mine.py": 900, "mine.safetensors": 9000}, True),
        ({"mine.py": 100_000}, True),
    ],
    ids=["code", "weights", "a table in the code"],
)
def test_more_than_code_may_have_been_learnt_elsewhere(tmp_path: Path, files: dict[str, int], brings: bool) -> None:
    for name, size in files.items():
        head = b"weights = 'mine.safetensors'\n" if name == "mine.py" else b""
        (tmp_path / name).write_bytes(head + b"#" * (size - len(head)))

    assert find_source(tmp_path / "mine.py").brings_data is brings


def test_names_that_could_lead_elsewhere_are_made_plain(tmp_path: Path) -> None:
    for name in ("...py", ".hidden.py", "a" * 200 + ".py", "\x1b[31m.py"):
        (tmp_path / name).write_text("")

    names = [find_source(tmp_path / name).name for name in ("...py", ".hidden.py", "a" * 200 + ".py", "\x1b[31m.py")]

    assert names == ["unnamed", "hidden", "a" * 80, "31m"]


def test_submissions_of_one_name_take_their_folders_for_authors(tmp_path: Path) -> None:
    for path in ("ana/model.py", "bob/model.py", "eve/net.py"):
        (tmp_path / path).parent.mkdir()
        (tmp_path / path).write_text("")
    ana, bob, eve = (find_source(tmp_path / path) for path in ("ana/model.py", "bob/model.py", "eve/net.py"))

    assert [source.label for source in name_authors([ana, bob, eve], None)] == ["ana/model", "bob/model", "eve/net"]
    assert [source.label for source in name_authors([ana, eve], None)] == ["model", "net"]
    assert [source.label for source in name_authors([ana, eve], "Zoë")] == ["Zoë/model", "Zoë/net"]


@pytest.mark.parametrize(
    ("paths", "labels"),
    [
        (["ada/ps1/model.py", "bob/ps1/model.py"], ["ada/model", "bob/model"]),
        (["ada/ps1/model.py", "ada/ps1/net.py", "bob/ps1/model.py"], ["ada/model", "ada/net", "bob/model"]),
        (
            [f"Zoë Ada_{number}_assignsubmission_file/model.py" for number in (123, 456)],
            ["Zoë-Ada_123/model", "Zoë-Ada_456/model"],
        ),
        (["ada/ps1/code/model.py", "bob/ps1/code/model.py"], ["ada/model", "bob/model"]),
    ],
    ids=["nbgrader", "nbgrader with two files", "Moodle", "a folder more"],
)
def test_the_folder_that_tells_students_apart_is_their_name(
    tmp_path: Path, paths: list[str], labels: list[str]
) -> None:
    for path in paths:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")

    named = name_authors([find_source(tmp_path / path) for path in paths], None)

    assert [source.label for source in named] == labels
