"""The fault proxy does to a connection what it says."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from datetime import timedelta
from typing import TypeVar

import pytest

from tests.support.proxy import Direction, FaultProxy, proxy_to

T = TypeVar("T")
SOON = 0.1
"""Seconds in which nothing comes that is held back."""


class EchoServer:
    """Answers each line with the line, and remembers all."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.open = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            while line := await reader.readline():
                self.heard.append(line.strip())
                writer.write(line)
                await writer.drain()
        except ConnectionError:
            return
        finally:
            self.open -= 1
            writer.close()


class Caller:
    """One client's connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def say(self, word: str) -> None:
        self.writer.write(f"{word}\n".encode())

    async def hear(self) -> str:
        return (await self.reader.readline()).decode().strip()

    async def ask(self, word: str) -> str:
        self.say(word)
        return await self.hear()


@pytest.fixture
async def echo() -> EchoServer:
    return EchoServer()


@pytest.fixture
async def proxy(echo: EchoServer) -> AsyncIterator[FaultProxy]:
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with proxy_to(f"tcp://127.0.0.1:{port}/0", seed=7) as (found, _):
        yield found
    server.close()


@pytest.fixture
async def caller(proxy: FaultProxy) -> AsyncIterator[Caller]:
    found = await call(proxy)
    yield found
    found.writer.close()


async def call(proxy: FaultProxy) -> Caller:
    return Caller(*await asyncio.open_connection("127.0.0.1", proxy.port))


async def in_time(waiting: Awaitable[T]) -> T:
    async with asyncio.timeout(5):
        return await waiting


async def heard(echo: EchoServer, *words: bytes) -> None:
    async with asyncio.timeout(5):
        while tuple(echo.heard) != words:  # noqa: ASYNC110  # another task makes it so
            await asyncio.sleep(0.005)


async def hears_nothing(caller: Caller) -> bool:
    try:
        async with asyncio.timeout(SOON):
            await caller.reader.read(1)
            return False
    except TimeoutError:
        return True


async def test_without_a_fault_everything_passes(caller: Caller) -> None:
    assert [await in_time(caller.ask(word)) for word in ("one", "two")] == ["one", "two"]


async def test_latency_holds_each_direction_up(proxy: FaultProxy, caller: Caller) -> None:
    proxy.delay(timedelta(milliseconds=150))
    caller.say("late")
    assert await hears_nothing(caller)
    assert await in_time(caller.hear()) == "late"


async def test_a_black_hole_accepts_and_never_answers(proxy: FaultProxy, caller: Caller, echo: EchoServer) -> None:
    proxy.black_hole()
    other = await call(proxy)
    for each in (caller, other):
        each.say("lost")
        assert await hears_nothing(each)
    assert echo.heard == []
    other.writer.close()


async def test_a_reset_ends_open_connections_and_new_ones(proxy: FaultProxy, caller: Caller) -> None:
    assert await in_time(caller.ask("one")) == "one"
    proxy.reset_connections()
    with pytest.raises(ConnectionResetError):
        await in_time(caller.hear())
    with pytest.raises(ConnectionResetError):
        await in_time((await call(proxy)).ask("two"))


async def test_a_half_closed_connection_carries_requests_and_no_replies(
    proxy: FaultProxy, caller: Caller, echo: EchoServer
) -> None:
    assert await in_time(caller.ask("one")) == "one"
    proxy.half_close()
    assert await in_time(caller.ask("two")) == ""
    assert await in_time((await call(proxy)).ask("three")) == ""
    await heard(echo, b"one", b"two", b"three")


@pytest.mark.parametrize("silently", [False, True])
async def test_a_dropped_reply_is_lost_after_its_request_arrived(
    proxy: FaultProxy, caller: Caller, echo: EchoServer, silently: bool
) -> None:
    proxy.drop_replies(1, silently=silently)
    caller.say("one")
    if silently:
        assert await hears_nothing(caller)
    else:
        with pytest.raises(ConnectionResetError):
            await in_time(caller.hear())
    assert await in_time((await call(proxy)).ask("two")) == "two"
    assert echo.heard == [b"one", b"two"]
    assert proxy.replies_lost == 1


async def test_replies_can_be_spared_before_one_is_dropped(proxy: FaultProxy, caller: Caller) -> None:
    proxy.drop_replies(1, after=2)
    assert [await in_time(caller.ask(word)) for word in ("one", "two")] == ["one", "two"]
    with pytest.raises(ConnectionResetError):
        await in_time(caller.ask("three"))
    assert await in_time((await call(proxy)).ask("four")) == "four"


async def test_a_share_of_the_replies_is_lost_by_the_dice_of_the_seed(proxy: FaultProxy) -> None:
    proxy.lose_replies(0.5)
    fates = []
    for _ in range(20):
        try:
            fates.append(bool(await in_time((await call(proxy)).ask("word"))))
        except ConnectionResetError:
            fates.append(False)
    assert proxy.replies_lost == fates.count(False)
    assert {True, False} == set(fates)


async def test_stalled_requests_arrive_when_the_proxy_is_healed(
    proxy: FaultProxy, caller: Caller, echo: EchoServer
) -> None:
    proxy.stall(Direction.REQUESTS)
    caller.say("one")
    assert await hears_nothing(caller)
    assert echo.heard == []
    proxy.heal()
    assert await in_time(caller.hear()) == "one"


async def test_stalled_replies_arrive_when_the_proxy_is_healed(
    proxy: FaultProxy, caller: Caller, echo: EchoServer
) -> None:
    proxy.stall(Direction.REPLIES)
    caller.say("one")
    await heard(echo, b"one")
    assert await hears_nothing(caller)
    proxy.heal()
    assert await in_time(caller.hear()) == "one"


async def test_a_healed_proxy_lets_everything_pass(proxy: FaultProxy) -> None:
    for switch in (proxy.black_hole, proxy.reset_connections, proxy.half_close):
        switch()
        proxy.heal()
        assert await in_time((await call(proxy)).ask("word")) == "word"


async def test_a_client_that_leaves_leaves_nothing_behind(proxy: FaultProxy, caller: Caller, echo: EchoServer) -> None:
    assert await in_time(caller.ask("one")) == "one"
    caller.writer.close()
    async with asyncio.timeout(5):
        while proxy.connections or echo.open:  # noqa: ASYNC110  # other tasks make it so
            await asyncio.sleep(0.005)


async def test_closing_the_proxy_ends_its_tasks_whatever_they_wait_for(echo: EchoServer) -> None:
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    before = asyncio.all_tasks()
    async with proxy_to(f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}") as (proxy, _):
        proxy.stall(Direction.REPLIES)
        callers = [await call(proxy) for _ in range(20)]
        for each in callers:
            each.say("word")
        await heard(echo, *[b"word"] * 20)
    for each in callers:
        with pytest.raises(ConnectionResetError):
            await in_time(each.hear())
    async with asyncio.timeout(5):
        while asyncio.all_tasks() - before:  # noqa: ASYNC110  # the echo server's end with their connections
            await asyncio.sleep(0.005)
    server.close()


async def test_connections_beyond_the_most_are_reset(echo: EchoServer) -> None:
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    url = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with proxy_to(url, most_links=2) as (proxy, _):
        callers = [await call(proxy) for _ in range(2)]
        for each in callers:
            assert await in_time(each.ask("word")) == "word"
        with pytest.raises(ConnectionResetError):
            await in_time((await call(proxy)).ask("word"))
    for each in callers:
        each.writer.close()
    server.close()
