"""Foreign text stays what it is: text in Markdown, one word in a shell."""

import subprocess
from datetime import UTC, datetime, timedelta, timezone

import pytest

from surefoot.incidents.markdown import code, moment, shell, span


@pytest.mark.parametrize(
    "text",
    ["run:acme:k1", "it's", "a b", "$(reboot)", "`reboot`", "two\nlines", "tab\t'quoted' \\ back", "zwölf\n€ 日本"],
)
def test_a_shell_reads_back_the_very_text(text: str) -> None:
    word = shell(text)
    assert "\n" not in word
    read = subprocess.run(
        ["bash", "-c", f"printf %s {word}"], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"}
    )
    assert read.stdout.decode() == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "`plain`"),
        ("a `tick` inside", "`a 'tick' inside`"),
        ("two\nlines\x00 and\x1b[31m control", "`two lines and [31m control`"),
        ("", "`(empty)`"),
        ("x" * 500, f"`{'x' * 400} …`"),
    ],
)
def test_foreign_text_is_one_code_span(text: str, shown: str) -> None:
    assert code(text) == shown


def test_a_secret_is_not_uncovered_by_the_cut() -> None:
    assert "sk-" not in code("x" * 390 + " sk-abcdefghijklmnopqrstuvwxyz")


def test_moments_are_in_utc() -> None:
    summer = timezone(timedelta(hours=2))
    assert moment(datetime(2026, 7, 1, 14, 0, tzinfo=summer)) == moment(datetime(2026, 7, 1, 12, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(milliseconds=10), "0.01 s"),
        (timedelta(seconds=90), "90 s"),
        (timedelta(minutes=5), "5 min"),
        (timedelta(hours=3), "3.0 h"),
    ],
)
def test_lengths_of_time_are_in_a_unit_that_suits_them(length: timedelta, text: str) -> None:
    assert span(length) == text
