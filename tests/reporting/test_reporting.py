from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from support.entries import entry
from support.tiny import Tiny

from harness.benchmark import load_benchmark
from harness.board.table import Row
from harness.estimates import Estimate
from harness.reporting.console import board_table, line, report
from harness.reporting.progress import ProgressLine


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


EPOCH = {"epoch": 3.0, "epochs": 60.0, "error_px": 2.5, "images_per_second": 1234.0, "seconds_left": 95.0}


def test_a_terminal_line_is_rewritten_in_place_and_wiped_at_the_end() -> None:
    terminal = Terminal()

    with ProgressLine(terminal) as progress:
        progress.training(EPOCH)

    shown = terminal.getvalue()
    assert "epoch 3/60  error 2.50 px  1,234 images/s  1 min 35 s left" in shown
    assert "\n" not in shown and shown.endswith(" \r")


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ({"threads": 1.0}, "images/s  1 of 4 threads  1 min"),
        ({"threads": 4.0}, "images/s  1 min"),
        ({}, "images/s  1 min"),
    ],
)
def test_fewer_threads_than_cores_are_shown(
    told: dict[str, float], shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.reporting.progress.usable_cores", lambda: 4)
    terminal = Terminal()

    with ProgressLine(terminal) as progress:
        progress.training(EPOCH | told)

    assert shown in terminal.getvalue()


def test_a_log_gets_a_plain_line_now_and_then() -> None:
    log = io.StringIO()

    with ProgressLine(log) as progress:
        for done in range(1, 101):
            progress.count("rendering faces", done, 100)

    assert log.getvalue() == "rendering faces: 100 of 100\n"


def test_a_log_gets_one_last_line_however_often_it_is_the_last() -> None:
    log = io.StringIO()

    with ProgressLine(log) as progress:
        for _ in range(1000):
            progress.training({"epoch": 5, "epochs": 5})

    assert log.getvalue().count("\n") == 1


def test_a_terminal_is_not_rewritten_faster_than_anybody_reads() -> None:
    terminal = Terminal()

    with ProgressLine(terminal) as progress:
        for epoch in range(20_000):
            progress.training(EPOCH | {"epoch": epoch, "epochs": 10**6})

    assert len(terminal.getvalue()) < 10_000


def test_a_forged_report_in_a_reason_is_marked_as_the_submissions(tiny: Tiny) -> None:
    failed = entry("mine", None, reason="it broke\nmine on kaggle: outstanding\n::error::mine")

    shown = report(failed, load_benchmark(tiny.card)).split("\n")

    assert shown[2:5] == ["  it broke", "  | mine on kaggle: outstanding", "  | ::error::mine"]


@pytest.mark.parametrize("reason", ["", None, "\n", "\x1b"])
def test_an_entry_whose_reason_is_empty_is_shown(reason: str | None, tiny: Tiny) -> None:
    failed = entry("mine", None, reason=reason)

    assert "failed:" in board_table("tiny", [Row.of(failed)], "mean_pixel_error", every=True)
    assert "failed:" in line(failed) and "FAILED" in report(failed, load_benchmark(tiny.card))


def test_a_board_shows_the_best_of_each_authors_submission() -> None:
    entries = [entry("model", 1.0, author="ana"), entry("model", 2.0, author="ben"), entry("model", 3.0, author="ana")]
    rows = [Row.of(each) for each in entries]

    best, every = (board_table("tiny", rows, "mean_pixel_error", every=each) for each in (False, True))

    assert (best.count("ana/model"), best.count("ben/model"), every.count("ana/model")) == (1, 1, 2)


def test_a_board_shows_what_ranks_and_where_it_was_trained() -> None:
    row = Row.of(entry("a", 1.0, trained="brought", band="ok"))
    row.scores["auc"] = Estimate(0.625, 0.5, 0.75)
    failed = replace(row, submission="b", status="failed", reason="it crashed\nat once")

    *_, heading, first, last = board_table("tiny", [row, failed], "auc", every=True).rstrip().splitlines()

    assert heading.split()[:3] == ["rank", "submission", "auc"] and "trained" in heading
    assert first.split()[:5] == ["1", "a", "0.625", "[0.500,", "0.750]"] and "brought" in first
    assert last.split() == ["-", "b", "failed:", "it", "crashed"]


def test_a_name_takes_one_line_and_speaks_no_ci_commands() -> None:
    row = Row.of(entry("a\n::error::mine", 1.0, author="##[error]me"))

    shown = board_table("tiny", [row], "mean_pixel_error", every=True)

    assert "## [error]me/a ::error::mine" in shown and not re.search(r"(?m)^\s*::", shown)
    assert len(shown.splitlines()) == 4
