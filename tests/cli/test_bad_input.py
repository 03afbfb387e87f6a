"""Input that cannot be used: one line that says what is wrong, the right exit code, and nothing started."""

import json
from pathlib import Path

import pytest

from surefoot.client import SurefootClient
from tests.cli.conftest import Typed

NOWHERE = "127.0.0.1:1"
ASK = ("run", "hello", "--session", "s")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "", "--session", "s"), ("prompt", "empty")),
        (("run", " \n", "--session", "s"), ("prompt", "empty")),
        ((*ASK, "--key", "k" * 256), ("key", "255")),
        ((*ASK, "--key", ""), ("key", "is empty")),
        (("run", "hello", "--session", "a\x1b[31mb"), ("session", "control characters")),
        ((*ASK, "--tenant", "a\nb"), ("tenant", "control characters")),
        ((*ASK, "--profile", "suport"), ("unknown profile 'suport'", "support", "research")),
        ((*ASK, "--detach", "--follow"), ("--detach",)),
        (("runs", "--limit", "-1"), ("--limit",)),
        (("incidents", "list", "--state", "shut"), ("'--state': 'shut'", "resolved")),
        (("incidents", "list", "--limit", "0"), ("--limit",)),
        (("incidents", "list", "--kind", "flood"), ("'flood'", "breaker_open")),
        (("runs", "--status", "sleeping"), ("'sleeping'", "running")),
        (("approve", "k", "--by", "ann", "--edit", "{"), ("--edit", "JSON")),
        (("approve", "k", "--by", "ann", "--edit", "[1]"), ("--edit", "object")),
        (("approve", "k", "--by", ""), ("by",)),
        (("approve", "k"), ("--by",)),
        (("result", "nobody"), ("run:default:nobody", "not known")),
        (("incidents", "show", "incident-x"), ("incident-x", "not known")),
        (("budget", "--user", "u"), ("support", "user", "--session")),
        (("bogus",), ("bogus", "--help")),
    ],
)
async def test_it_is_refused_in_one_line(typed: Typed, arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    (await typed(*arguments)).refuses(2, *words)


@pytest.mark.parametrize("size", [262_146, 3_000_000])
async def test_a_prompt_that_no_message_can_hold_is_refused_before_the_run(starter: Typed, size: int) -> None:
    prompt = ("é" * (size // 2)).encode()
    left = await starter("run", "-", "--session", "s", stdin=prompt)
    left.refuses(2, "prompt", "larger than a message may be, 262144 bytes")
    left = await starter("run", "-", "--session", "s", stdin=b'"' * 140_000)
    left.refuses(2, "prompt: the prompt takes 280025 bytes as a message, of which 262144 fit; shorten it")


async def test_what_is_empty_or_no_text_is_named_in_words(typed: Typed) -> None:
    (await typed("run", "hi", "--key", "k", "--session", "")).refuses(2, "session: is empty")
    (await typed("run", "caf\udce9 order", "--session", "s")).refuses(2, "the prompt is not UTF-8")


async def test_a_key_that_is_too_long_is_named_alone(typed: Typed) -> None:
    left = await typed("run", "hello", "--key", "k" * 256)
    left.refuses(2, "key")
    assert "session" not in left.err


async def test_a_prompt_that_is_not_text_is_refused(starter: Typed) -> None:
    (await starter("run", "-", stdin=b"caf\xe9")).refuses(2, "UTF-8")


async def test_an_unreadable_profile_is_named_with_its_file(typed: Typed, tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text('system = "no end\n')
    left = await typed(*ASK, "--profile", "broken", SUREFOOT_AGENTS_DIR=str(tmp_path))
    left.refuses(2, "broken.toml", "line 1")


async def test_an_unknown_setting_is_refused_with_the_one_that_was_meant(starter: Typed) -> None:
    (await starter("runs", SUREFOOT_TASK_QEUE="q")).refuses(2, "SUREFOOT_TASK_QEUE", "SUREFOOT_TASK_QUEUE?")


async def test_a_provider_without_a_key_is_refused_before_the_start(
    typed: Typed, environment: dict[str, str], client: SurefootClient, unique: str
) -> None:
    for name in ("MISTRAL_API_URL", "MISTRAL_API_KEY"):
        environment.pop(name, None)
    refused = await typed("run", "hello", "--profile", "support", "--session", unique, "--key", unique)
    refused.refuses(2, "MISTRAL_API_KEY", "starter.py up")
    assert await client.runs(session=unique) == ()


async def test_a_redis_that_does_not_answer_is_told_before_the_start(
    typed: Typed, client: SurefootClient, unique: str
) -> None:
    for arguments in (("run", "hello", "--session", unique), ("breakers",), ("budget", "--session", unique)):
        (await typed(*arguments, REDIS_URL=f"redis://{NOWHERE}/0")).refuses(4, NOWHERE, "REDIS_URL")
    assert await client.runs(session=unique) == ()


async def test_a_temporal_that_does_not_answer_is_told(starter: Typed) -> None:
    (await starter(*ASK, TEMPORAL_ADDRESS=NOWHERE)).refuses(4, NOWHERE, "starter.py up")


async def test_without_any_setting_it_says_how_to_get_a_stack(typed: Typed, environment: dict[str, str]) -> None:
    del environment["REDIS_URL"]
    (await typed("runs")).refuses(2, "REDIS_URL: is not set", "starter.py up")


@pytest.mark.parametrize(
    ("arguments", "type", "code"),
    [
        (("run", "", "--json"), "InvalidInput", 2),
        (("result", "nobody", "--json"), "NotFound", 2),
        (("runs", "--bogus", "--json"), "Usage", 2),
    ],
)
async def test_errors_are_json_where_json_was_asked_for(
    typed: Typed, arguments: tuple[str, ...], type: str, code: int
) -> None:
    left = await typed(*arguments)
    error = json.loads(left.err)["error"]
    assert (left.code, left.out) == (code, "")
    assert (error["type"], error["exitCode"]) == (type, code)
    assert error["message"]
