"""Text of others loses what commands a terminal, hides or turns, and nothing else."""

from __future__ import annotations

import csv
import io

import pytest

from harness.text import file_name, first_line, one_line, plain, plain_values, printable, safe_cell, shortened


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("\x1b[31mred\x1b[0m\x07", "[31mred[0m"),
        ("\x9b31mred", "31mred"),
        ("nice\u202egnp.exe", "nicegnp.exe"),
        ("a\u2066b\u2069\u200f\u061c", "ab"),
        ("ali\u200bce\ufeff\u2060\u00ad", "alice"),
        ("alice\u3164", "alice"),
        ("half \ud83d", "half "),
        ("1\u20282\u20293\x854\x0b5\x0c6\r7\r\n8", "1\n2\n3\n4\n5\n6\n7\n8"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("Größe vier, 顔, é, 😀", "Größe vier, 顔, é, 😀"),
    ],
)
def test_what_cannot_be_seen_is_taken_out(written: str, kept: str) -> None:
    assert plain(written) == kept
    assert plain(kept) == kept


def test_a_ci_runner_is_given_no_command() -> None:
    assert printable("ok\n  ::error::mine\n##[group]\u202e") == "ok\n  : :error::mine\n## [group]"


def test_no_character_that_is_taken_out_joins_two_into_a_command() -> None:
    assert printable("\u200b:\u200b:error::mine") == ": :error::mine"
    assert printable("#\x1b#[error]mine") == "## [error]mine"


@pytest.mark.parametrize(("text", "first"), [("", ""), ("\n \n", ""), ("\n  one \ntwo", "one"), ("\x1b\n\u2028a", "a")])
def test_the_first_line_of_anything(text: str, first: str) -> None:
    assert first_line(text) == first


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("short", "short", "short"),
        ("0123456789", "0123456789", "0123456789"),
        ("0123456789ab", "0123456…", "…56789ab"),
        ("ÄÖÜÄÖÜ", "ÄÖÜ…", "…ÄÖÜ"),
        ("\x1b\u202e" * 50 + "end", "…", "…end"),
        ("", "", ""),
    ],
)
def test_what_is_too_long_is_cut_between_characters(text: str, start: str, end: str) -> None:
    assert (shortened(text, 10), shortened(text, 10, keep="end")) == (start, end)


def test_every_text_of_a_message_is_plain() -> None:
    message = {"a\x1b": ["\x07", {"b": "\u202ec"}, 1.5, None, True]}

    assert plain_values(message) == {"a": ["", {"b": "c"}, 1.5, None, True]}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("..", "unnamed"),
        ("\x1b[31mred", "31mred"),
        ("a/b\\c d", "a-b-c-d"),
        ("=cmd", "cmd"),
        ("flip=0-seed1", "flip=0-seed1"),
        ("x" * 236, "x" * 80),
    ],
)
def test_a_name_can_stand_in_a_path(text: str, name: str) -> None:
    assert file_name(text) == name


def test_a_name_in_any_script_is_short_enough_for_every_file_system() -> None:
    assert len(file_name("顔" * 100).encode()) <= 80


def test_a_cell_is_a_line_and_never_a_formula() -> None:
    text = io.StringIO()
    csv.writer(text).writerow([safe_cell("=1\u2028+1\x1b"), safe_cell("\u200b@x"), safe_cell(-1)])

    assert text.getvalue() == "'=1 +1,'@x,-1\r\n"
    assert one_line(" a\t\n b ") == "a b"
