"""A back end's failures are told apart where they happen."""

import json
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2
import pytest

from surefoot.contracts.breakers import Verdict
from surefoot.errors import Fault, ToolFailure
from surefoot.ports import ToolContext
from surefoot.tools.http import MAX_BODY, MAX_MESSAGE, Backend, retry_after
from tests.tools.rude_server import (
    Behaviour,
    answers,
    babbles,
    cuts,
    drips,
    hangs,
    hangs_up,
    resets,
    rude_server,
)

RETRYABLE, PERMANENT, MODELS_OWN = Fault.RETRYABLE, Fault.PERMANENT, Fault.MODELS_OWN
FAILURE, NEUTRAL, THROTTLED = Verdict.FAILURE, Verdict.NEUTRAL, Verdict.THROTTLED


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(trust_env=False) as client:
        yield client


def context(key: str | None = "key-1", deadline: timedelta = timedelta(seconds=5)) -> ToolContext:
    return ToolContext(key=key, deadline=deadline, tenant="default")


def told(failure: ToolFailure) -> tuple[Fault, Verdict, bool, bool]:
    return failure.fault, failure.verdict, failure.reached, failure.maybe_done


async def failure_of(
    behave: Behaviour, client: httpx2.AsyncClient, *, read: bool = False, deadline: timedelta = timedelta(seconds=5)
) -> ToolFailure:
    async with rude_server(behave) as server:
        backend = Backend("shop", server.url, client)
        given = context(deadline=deadline)
        with pytest.raises(ToolFailure) as caught:
            await (backend.get("orders", context=given) if read else backend.post("orders", body={}, context=given))
    return caught.value


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (301, {"Location": "/elsewhere"}, (PERMANENT, NEUTRAL, True, False)),
        (303, {"Location": "/elsewhere"}, (PERMANENT, NEUTRAL, True, True)),
        (400, {}, (MODELS_OWN, NEUTRAL, True, False)),
        (401, {}, (PERMANENT, NEUTRAL, True, False)),
        (403, {}, (PERMANENT, NEUTRAL, True, False)),
        (404, {}, (MODELS_OWN, NEUTRAL, True, False)),
        (408, {}, (RETRYABLE, FAILURE, True, False)),
        (409, {}, (MODELS_OWN, NEUTRAL, True, False)),
        (409, {"Retry-After": "2"}, (RETRYABLE, NEUTRAL, True, True)),
        (422, {}, (MODELS_OWN, NEUTRAL, True, False)),
        (425, {}, (RETRYABLE, FAILURE, True, False)),
        (429, {}, (RETRYABLE, THROTTLED, True, False)),
        (500, {}, (RETRYABLE, FAILURE, True, True)),
        (502, {}, (RETRYABLE, FAILURE, True, True)),
        (503, {}, (RETRYABLE, FAILURE, True, True)),
        (503, {"Retry-After": "2"}, (RETRYABLE, FAILURE, True, False)),
        (504, {}, (RETRYABLE, FAILURE, True, True)),
    ],
)
async def test_each_status_says_who_acts_and_what_may_have_been_done(
    client: httpx2.AsyncClient,
    status: int,
    headers: dict[str, str],
    expected: tuple[Fault, Verdict, bool, bool],
) -> None:
    failure = await failure_of(answers(status, headers=headers), client)

    assert told(failure) == expected
    assert failure.status == status
    assert failure.retry_after == (timedelta(seconds=2) if "Retry-After" in headers else None)


@pytest.mark.parametrize("behave", [hangs_up, resets, cuts, babbles])
async def test_a_request_that_left_and_got_no_whole_answer_may_have_been_done(
    client: httpx2.AsyncClient, behave: Behaviour
) -> None:
    assert told(await failure_of(behave, client)) == (RETRYABLE, FAILURE, True, True)


@pytest.mark.parametrize("behave", [hangs, drips])
async def test_one_deadline_ends_an_exchange_however_slowly_it_goes_on(
    client: httpx2.AsyncClient, behave: Behaviour
) -> None:
    failure = await failure_of(behave, client, deadline=timedelta(milliseconds=150))

    assert told(failure) == (RETRYABLE, FAILURE, True, True)
    assert str(failure) == "shop did not answer within 0.15 s"


@pytest.mark.parametrize("behave", [hangs_up, answers(500), answers(200, b"<html>")])
async def test_reading_is_never_in_doubt(client: httpx2.AsyncClient, behave: Behaviour) -> None:
    assert told(await failure_of(behave, client, read=True)) == (RETRYABLE, FAILURE, True, False)


async def test_a_refused_connection_has_not_reached_the_target(client: httpx2.AsyncClient) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        backend = Backend("shop", f"http://127.0.0.1:{free.getsockname()[1]}", client)
        with pytest.raises(ToolFailure, match="shop cannot be reached") as caught:
            await backend.post("orders", body={}, context=context())

    assert told(caught.value) == (RETRYABLE, FAILURE, False, False)


async def test_a_deadline_that_passes_before_the_connection_stands_has_not_reached_the_target(
    client: httpx2.AsyncClient,
) -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for filler in (first, second):  # the queue is full: the system drops what comes next
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        backend = Backend("shop", f"http://127.0.0.1:{full.getsockname()[1]}", client)
        with pytest.raises(ToolFailure, match="did not answer") as caught:
            await backend.post("orders", body={}, context=context(deadline=timedelta(milliseconds=200)))

    assert told(caught.value) == (RETRYABLE, FAILURE, False, False)


@pytest.mark.parametrize("body", [b"<html>", b'{"id": NaN}', b'"\xff"', b'"\\ud800"', b"[" * 5000])
async def test_an_unreadable_answer_to_something_done_is_tried_again_in_doubt(
    client: httpx2.AsyncClient, body: bytes
) -> None:
    assert told(await failure_of(answers(201, body), client)) == (RETRYABLE, FAILURE, True, True)


async def test_an_answer_over_a_megabyte_is_not_read_to_its_end(client: httpx2.AsyncClient) -> None:
    failure = await failure_of(answers(200, b" " * (MAX_BODY + 1)), client)

    assert told(failure) == (PERMANENT, NEUTRAL, True, True)


async def test_the_model_reads_the_reason_in_one_line_of_bounded_length(client: httpx2.AsyncClient) -> None:
    async def reason(body: object) -> str:
        return str(await failure_of(answers(422, json.dumps(body).encode()), client))

    assert await reason({"error": "no such\n product"}) == "shop answered 422: no such product"
    assert await reason({"error": {"code": "x", "message": "too much"}}) == "shop answered 422: too much"
    assert "quantity" in await reason({"detail": [{"loc": ["quantity"], "msg": "wrong"}]})
    assert await reason(["odd"]) == "shop answered 422: Reason"
    assert len(await reason({"error": "x" * 10_000})) == len("shop answered 422: ") + MAX_MESSAGE


async def test_a_doing_carries_its_key_and_a_reading_none(client: httpx2.AsyncClient) -> None:
    async with rude_server(answers(200, b'{"id": 1}')) as server:
        backend = Backend("shop", f"{server.url}/", client)
        assert await backend.post("orders", body={"product": "mug"}, context=context(key="key-7")) == {"id": 1}
        await backend.post("orders", body={}, context=context(key=None))
        await backend.get("orders", context=context(key="key-7"))

    posted, keyless, read = server.requests
    assert posted.startswith("POST /api/orders HTTP/1.1")
    assert "idempotency-key: key-7" in posted.lower()
    assert json.loads(posted.partition("\r\n\r\n")[2]) == {"product": "mug"}
    assert "idempotency-key" not in (keyless + read).lower()


async def test_an_answer_without_a_body_is_a_result(client: httpx2.AsyncClient) -> None:
    async with rude_server(answers(204)) as server:
        assert await Backend("shop", server.url, client).post("orders", body={}, context=context()) is None


async def test_what_a_model_puts_into_a_path_stays_one_segment(client: httpx2.AsyncClient) -> None:
    async with rude_server(answers(200, b"{}")) as server:
        backend = Backend("shop", server.url, client)
        await backend.get("orders", "../admin?all=1#x", context=context())
        for escape in ("..", ".", ""):
            with pytest.raises(ToolFailure, match="cannot be asked for") as caught:
                await backend.get("orders", escape, context=context())
            assert told(caught.value) == (MODELS_OWN, NEUTRAL, False, False)

    assert [request.split(" ")[1] for request in server.requests] == ["/api/orders/..%2Fadmin%3Fall%3D1%23x"]


async def test_only_404_means_that_nothing_is_there(client: httpx2.AsyncClient) -> None:
    async with rude_server(answers(404)) as server:
        found = await Backend("shop", server.url, client).find("refunds", query={"key": "k"}, context=context())
    assert found is None

    async with rude_server(answers(500)) as server:
        with pytest.raises(ToolFailure):
            await Backend("shop", server.url, client).find("refunds", query={"key": "k"}, context=context())


def test_retry_after_is_read_in_both_forms_and_bounded() -> None:
    assert retry_after("120") == timedelta(minutes=2)
    assert retry_after("9" * 5000) == timedelta(days=1)
    assert retry_after(format_datetime(datetime(2001, 1, 1, tzinfo=UTC), usegmt=True)) == timedelta(0)
    in_an_hour = retry_after(format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True))
    assert in_an_hour is not None
    assert timedelta(minutes=59) < in_an_hour <= timedelta(hours=1)
    for unreadable in (None, "", "soon", "-5", "1.5", "\u0665"):
        assert retry_after(unreadable) is None
