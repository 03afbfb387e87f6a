"""Secrets and personal data never reach a runbook."""

import pytest

from surefoot.incidents.redaction import redact, redacted


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("401 for key AIzaSyD4exampleexampleexampleexample12", "AIzaSy"),
        ("used sk-proj-abcdefghijklmnop", "abcdefghijklmnop"),
        ("Authorization: Bearer abc.def-ghi_jkl", "abc.def"),
        ("header authorization=Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "eyJ"),
        ("redis://default:hunter2@cache:6379/0 refused", "hunter2"),
        ('{"password": "hunter2", "user": "bob"}', "hunter2"),
        ("api_key=hunter2&x=1", "hunter2"),
        ("no account for bob.smith+shop@mail.example.co.uk", "bob.smith"),
        ("card 4111 1111 1111 1111 declined", "1111"),
        ("card 5500-0000-0000-0004 declined", "5500"),
        ("pay to DE89 3704 0044 0532 0130 00 today", "3704"),
        ("pay to GB82WEST12345698765432", "WEST"),
        ("call +49 30 901820 or", "901820"),
        ("call +1 (212) 555-0100", "555"),
        ("call 0044 20 7946 0958", "7946"),
        ("session 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c", "9f86d081"),
        ("AKIAIOSFODNN7EXAMPLE is not allowed", "AKIA"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----", "MIIEow"),
        ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "16C7e42F"),
    ],
)
def test_a_secret_is_taken_out(text: str, secret: str) -> None:
    assert secret not in redact(text)
    assert "[" in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "503 from the shop after 4 attempts at 2026-11-21 12:30:00",
        "order 1234567890123 was not found",
        "run 01a1fcaa-40d7-7723-a50a-e3b025d8ef74 took 12.5 s",
        "spent $0.41 of $0.50, 410000000 of 500000000",
        "the token bound is 1024",
        "order DE12 3456 7890 1234 5678 was not found",
        "offset +5 and +1.25, 2026-11-21T12:30:00+01:00",
        "window 0012 of 0024",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


def test_text_deep_inside_a_value_is_redacted() -> None:
    value = redacted({"to": ["bob@example.com"], "n": 1, "nothing": None})
    assert value == {"to": ["[mail address]"], "n": 1, "nothing": None}


def test_a_text_made_to_be_slow_is_read_at_once() -> None:
    hostile = ("a." * 3000 + "1" * 3000 + "eyJ" * 1000)[:6400]
    assert redact(hostile)
