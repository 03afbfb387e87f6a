"""The guards on a cluster: each script has one slot, and a batch goes to as many nodes as it needs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from redis.asyncio import RedisCluster

from surefoot.contracts.breakers import BreakerState, Verdict
from surefoot.contracts.guardrails import Answer
from surefoot.errors import StoreUnavailable
from surefoot.ports import Busy, Proceed, Refused, Replay
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.health import look
from surefoot.reliability.office import RedisOffice
from surefoot.reliability.store import Step, Store
from surefoot.reliability.streams import RedisTextStream
from surefoot.settings import load
from tests.reliability.cluster import cluster
from tests.reliability.conftest import TIMEOUT
from tests.reliability.given import (
    CENT,
    NEVER_ON_COUNT,
    SHORT,
    TRIPS_AT_ONCE,
    act,
    begin,
    books,
    held,
    permit,
    proceeding,
    reservation,
    session,
    spend,
)
from tests.support.redis import ask_redis

KEPT, LOST = "b", "a"
"""Keys of two nodes."""


def told(key: str, *, aside: bool = False) -> Step[str]:
    return Step(("SET", key, "word"), lambda row: row[0] if row else "", aside=aside)


@pytest.fixture(scope="module")
async def cluster_url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    async with cluster(tmp_path_factory.mktemp("cluster")) as url:
        yield url


@pytest.fixture
async def fleet(cluster_url: str, prefix: str) -> AsyncIterator[list[RedisGuards]]:
    """Two workers' guards."""
    found = [RedisGuards.connect(cluster_url, prefix=prefix, timeout=5 * TIMEOUT) for _ in range(2)]
    yield found
    for guards in found:
        await guards.close()


async def test_the_cap_holds_for_a_hundred_concurrent_calls(fleet: list[RedisGuards], prefix: str) -> None:
    wanted = (reservation(f"h{n}", 2 * CENT, look_at="orders") for n in range(100))
    answers = await asyncio.gather(*(fleet[n % 2].reserve(each) for n, each in enumerate(wanted)))
    assert [answer.answer for answer in answers].count(Answer.GO) == 25
    assert (await books(fleet[0], prefix)).held == 50 * CENT


async def test_a_call_is_held_admitted_settled_and_told(fleet: list[RedisGuards], prefix: str) -> None:
    receipt = await spend(fleet[0], "h1", 45 * CENT, bound=40 * CENT)
    assert [crossing.line for crossing in receipt.crossings] == ["soft"]
    assert receipt.drift is not None
    assert held(await fleet[1].reserve(reservation("h2", CENT))).dearness == 1125
    assert (await books(fleet[1], prefix)).settled == 45 * CENT


async def test_an_effect_happens_once_and_its_follower_is_woken(fleet: list[RedisGuards]) -> None:
    for number in range(8):
        key = f"effect-{number}"
        claim, ticket = proceeding(await begin(fleet[0], key, mark_sent=True))
        assert isinstance(await begin(fleet[1], key, owner="run/2"), Busy)
        follower = asyncio.create_task(fleet[1].follow(key, timedelta(seconds=5)))
        await asyncio.sleep(0.03)
        await fleet[0].complete_tool_call(claim, "done", ticket)
        assert await follower == Replay("done", 1)


async def test_a_trip_on_one_worker_refuses_the_next_call_on_another(fleet: list[RedisGuards], prefix: str) -> None:
    for number in range(8):
        name = f"model{number}"
        entry = await fleet[0].breaker.admit(name, TRIPS_AT_ONCE, "a")
        await fleet[0].breaker.report(permit(entry), Verdict.FAILURE, None)
        assert isinstance(await fleet[1].breaker.admit(name, TRIPS_AT_ONCE, "b"), Refused)
    listed = await RedisOffice(fleet[1].store, prefix).breakers()
    assert [status.state for status in listed] == [BreakerState.OPEN] * 8


async def test_operators_read_and_act(fleet: list[RedisGuards], prefix: str) -> None:
    desk, scope = RedisOffice(fleet[0].store, prefix), session()
    status = await desk.top_up("acme", scope.kind, scope.subject, scope.budget, CENT, act())
    await begin(fleet[0], lease=SHORT, mark_sent=True, lands_within=SHORT)
    await asyncio.sleep(SHORT.total_seconds() + 0.02)
    claim = await desk.settle_done("effect", 1, act())
    assert status.limit == 51 * CENT
    assert claim["state"] == "done"


async def test_words_are_followed(fleet: list[RedisGuards], prefix: str) -> None:
    await RedisTextStream(fleet[0].store, prefix).publish("run", 1, "Hello")
    async for piece in RedisTextStream(fleet[1].store, prefix).follow("run"):
        assert piece.text == "Hello"
        break


async def test_scripts_that_the_nodes_have_lost_are_given_to_them_again(
    fleet: list[RedisGuards], cluster_url: str
) -> None:
    await begin(fleet[0])
    async with RedisCluster.from_url(cluster_url.replace("+cluster", "")) as redis:
        await redis.script_flush()
    assert isinstance(await begin(fleet[0], "another"), Proceed)


async def test_a_cancelled_call_leaves_the_connections_fit_for_the_next(fleet: list[RedisGuards]) -> None:
    for number in range(10):
        task = asyncio.create_task(fleet[0].reserve(reservation(f"cancelled-{number}", 1)))
        await asyncio.sleep(0.0002 * (number % 5))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        answer = await fleet[0].reserve(reservation(f"h{number}", CENT, look_at="orders"))
        assert held(answer).id == f"h{number}"
        assert set(answer.breakers) == {"orders"}


async def test_a_cluster_that_is_not_there_is_redis_away(prefix: str) -> None:
    guards = RedisGuards.connect("redis+cluster://127.0.0.1:1", prefix=prefix, timeout=TIMEOUT)
    with pytest.raises(StoreUnavailable, match=r"Redis at 127\.0\.0\.1:1 does not answer"):
        await guards.reserve(reservation("h1", CENT))
    entry = await begin(guards, None, breaker=NEVER_ON_COUNT)
    assert isinstance(entry, Proceed)
    assert entry.permit.local
    await guards.close()


async def test_a_node_that_is_away_fails_its_own_commands_and_no_batch_for_what_is_aside(tmp_path: Path) -> None:
    async with cluster(tmp_path) as url, RedisCluster.from_url(url.replace("+cluster", "")) as redis:
        store = Store.connect(url, timeout=TIMEOUT)
        assert await store.many([told(KEPT), told(LOST, aside=True)]) == ["OK", "OK"]
        away = redis.get_node_from_key(LOST)
        assert away is not None
        assert away != redis.get_node_from_key(KEPT)
        with suppress(ConnectionError):  # a server that ends need not say goodbye
            await ask_redis(f"redis://{away.host}:{away.port}", "SHUTDOWN NOSAVE")
        assert await store.many([told(KEPT), told(LOST, aside=True)]) == ["OK", ""]
        with pytest.raises(StoreUnavailable):
            await store.many([told(KEPT), told(LOST)])
        await store.close()


async def test_the_doctor_reads_a_cluster(cluster_url: str) -> None:
    health = await look(load(REDIS_URL=cluster_url, SUREFOOT_STORE_TIMEOUT=TIMEOUT, _env_file=None))
    assert health.version[0] >= 6
    assert health.eviction == "noeviction"
    assert abs(health.clock_ahead) < timedelta(seconds=5)


async def test_one_server_is_no_cluster_and_says_so(redis_url: str, prefix: str) -> None:
    url = redis_url.replace("redis://", "redis+cluster://").removesuffix("/0")
    guards = RedisGuards.connect(url, prefix=prefix, timeout=TIMEOUT)
    with pytest.raises(StoreUnavailable, match="luster"):
        await guards.reserve(reservation("h1", CENT))
    await guards.close()
