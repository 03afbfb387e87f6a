"""What those who follow a run see, in which order."""

import io
import signal
from datetime import UTC, datetime, timedelta

from rich.console import Console
from temporalio.worker import Worker

from surefoot.cli.watching import Lines
from surefoot.client import Retry
from surefoot.contracts.runs import Phase, RunProgress, RunResult, Step
from surefoot.reliability.store import Store
from surefoot.reliability.streams import RedisTextStream
from surefoot.settings import Settings
from surefoot.simulator.client import SimulatorClient
from tests.cli.conftest import Launch, Typed

AT = datetime(2026, 1, 1, tzinfo=UTC)
PUBLISH = "Summarise the news about heat pumps and publish it"


def progress(turn: int, text: str, *steps: tuple[int, str]) -> RunProgress:
    return RunProgress(
        phase=Phase.ACTING,
        turn=turn,
        text=text,
        steps=tuple(Step(turn=at, what=what, at=AT) for at, what in steps),
        result=RunResult(text=text),
    )


def lines() -> tuple[Lines, io.StringIO]:
    out = io.StringIO()
    return Lines(Console(file=out, width=1000)), out


def test_steps_and_words_stand_in_the_order_in_which_they_happened() -> None:
    view, out = lines()
    view.show(progress(0, "", (0, "profile support")))
    view.hear(1, "I shall ")
    view.show(progress(1, "I shall look.", (0, "profile support"), (1, "asks for look_up_order")))
    view.hear(1, "look.")  # late: the whole answer has been shown
    view.show(progress(2, "Done.", (0, "profile support"), (1, "asks for look_up_order"), (1, "look_up_order: done")))
    assert out.getvalue().splitlines() == [
        "turn 0: profile support",
        "I shall look.",
        "turn 1: asks for look_up_order",
        "turn 1: look_up_order: done",
        "Done.",
    ]


def test_steps_that_the_run_forgot_are_not_shown_twice() -> None:
    view, out = lines()
    view.show(progress(1, "", (1, "a"), (1, "b")))
    view.show(progress(1, "", (1, "b"), (1, "c")))
    view.show(progress(1, "", (1, "d"), (1, "e")))
    assert [line.removeprefix("turn 1: ") for line in out.getvalue().splitlines()] == ["a", "b", "c", "d", "e"]


def test_silence_is_told_once() -> None:
    view, out = lines()
    view.hear(1, "half a")
    view.miss("no worker answers")
    view.miss("no worker answers")
    assert out.getvalue() == "half a\nno worker answers\n"


async def test_words_are_shown_while_they_come(
    typed: Typed, launch: Launch, served: Worker, settings: Settings, unique: str
) -> None:
    ask = ("run", PUBLISH, "--profile", "research", "--key", unique)
    assert (await typed(*ask, "--no-wait")).code == 5
    follower = await launch(*ask, "--follow")
    assert follower.stderr is not None
    await follower.stderr.readuntil(b"waiting for approval")
    store = Store.connect(settings.redis_url.get_secret_value(), timeout=settings.store_timeout)
    await RedisTextStream(store, settings.key_prefix).publish(f"run:default:{unique}", 9, "half a sentence\x1b[2J")
    await store.close()
    assert b"\x1b" not in await follower.stderr.readuntil(b"half a sentence")
    follower.send_signal(signal.SIGINT)
    _, err = await follower.communicate()
    assert (follower.returncode, b"\x1b" in err) == (130, False)


def test_an_attempt_is_told_once_with_its_reason() -> None:
    view, out = lines()
    second = Retry(activity="llm.generate", attempt=2, error="the model is\x1b[2J busy")
    view.retry((second,))
    view.retry((second,))
    view.retry((second.model_copy(update={"attempt": 3}),))
    assert out.getvalue().splitlines() == [
        "llm.generate: attempt 2, since the model is busy",
        "llm.generate: attempt 3, since the model is busy",
    ]


async def test_a_model_that_throttles_is_told_while_one_waits(
    typed: Typed, launch: Launch, served: Worker, simulator: SimulatorClient, unique: str
) -> None:
    await simulator.fault("mistral", "status", status=429, retry_after=timedelta(seconds=3), count=1)
    following = await launch("run", "Where is my order A-1003?", "--key", unique, "--follow")
    assert following.stderr is not None
    told = await following.stderr.readuntil(b"llm.generate: attempt 2 at ")
    told += await following.stderr.readline()
    assert "429" in told.decode()
    status = await typed("status", unique)
    assert "llm.generate: attempt 2 at " in status.out
    (retry,) = (await typed("status", unique, "--json")).document["retrying"]
    assert (retry["activity"], retry["attempt"]) == ("llm.generate", 2)
    await following.communicate()
    assert following.returncode == 0


async def test_whoever_waits_without_a_worker_learns_it(launch: Launch, unique: str) -> None:
    waiting = await launch("run", "hello", "--key", unique)
    assert waiting.stderr is not None
    assert "no worker answers" in (await waiting.stderr.readline()).decode()
    waiting.send_signal(signal.SIGINT)
    _, err = await waiting.communicate()
    assert (waiting.returncode, b"the run goes on" in err) == (130, True)


async def test_without_redis_a_run_is_followed_all_the_same(starter: Typed, served: Worker, unique: str) -> None:
    nowhere = {"REDIS_URL": "redis://127.0.0.1:1/0"}
    left = await starter("run", "Where is my order A-1003?", "--key", unique, "--follow", "--no-check", **nowhere)
    assert left.code == 0
    assert "cannot be followed" in left.err
    assert "turn 1: look_up_order: done" in left.err
