"""Posts one message over HTTP within one deadline, its failures classified where they happen.

| what happened                                  | fault     |
| ---------------------------------------------- | --------- |
| 2xx, whatever its body                         | none      |
| 3xx: redirects are not followed                | permanent |
| 408, 425, 429, 5xx, after Retry-After, if any  | retryable |
| other 4xx: a wrong key, address or message     | permanent |
| no connection, no answer in time, a reset      | retryable |

What is sent carries a key by which the receiver tells repetitions, so a doubt is settled by sending again.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import NoReturn
from urllib.parse import quote

import httpx2
from pydantic_core import from_json

from surefoot.contracts.base import JsonObject
from surefoot.errors import DeliveryFailure, Fault
from surefoot.incidents.markdown import clean
from surefoot.tools.http import retry_after

TIMEOUT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=5)
"""What a receiver may ask for: whoever is to be called cannot wait longer."""
MAX_ANSWER = 65_536
"""Bytes of an answer that are read; none is needed to know that a message was taken."""
SHORTEST_SECRET = 4
"""Anything shorter would blank out half of every message."""


class Mailbox:
    """Where one channel's messages are posted. Its errors never show a secret, not even one that was echoed."""

    def __init__(
        self,
        channel: str,
        client: httpx2.AsyncClient,
        *,
        settings: str,
        secrets: Iterable[str],
        timeout: timedelta = TIMEOUT,
    ) -> None:
        """``settings`` are the variables to look at when the receiver refuses."""
        self._channel = channel
        self._client = client
        self._settings = settings
        found = {form for secret in secrets for form in (secret, quote(secret), quote(secret, safe=""))}
        self._secrets = sorted((one for one in found if len(one) >= SHORTEST_SECRET), key=len, reverse=True)
        self._seconds = timeout.total_seconds()

    async def post(self, url: str, body: JsonObject | bytes, headers: Mapping[str, str] | None = None) -> JsonObject:
        """Post JSON; the answer's JSON object, or an empty one. Raises ``DeliveryFailure``."""
        raw = body if isinstance(body, bytes) else encoded(body)
        request = self._client.build_request(
            "POST", url, content=raw, headers={"content-type": "application/json", **(headers or {})}
        )
        return await self._exchange(request)

    async def get(self, url: str, headers: Mapping[str, str]) -> JsonObject:
        """Ask; as ``post``."""
        return await self._exchange(self._client.build_request("GET", url, headers=headers))

    async def _exchange(self, request: httpx2.Request) -> JsonObject:
        deadline = asyncio.get_running_loop().time() + self._seconds
        try:
            async with asyncio.timeout_at(deadline):
                response = await self._client.send(request, stream=True, follow_redirects=False)
            body = await _read(response, deadline)
        except (TimeoutError, httpx2.TimeoutException):
            self._fail(f"did not answer within {self._seconds:g} s", Fault.RETRYABLE)
        except (httpx2.TransportError, httpx2.DecodingError) as error:
            reason = str(error) or type(error).__name__
            self._fail(f"cannot be reached at {request.url.host}: {reason}", Fault.RETRYABLE)
        if not response.is_success:
            self._refused(response, body)
        return _object(body)

    def _refused(self, response: httpx2.Response, body: bytes) -> NoReturn:
        status = response.status_code
        retry = status in (408, 425, 429) or status >= 500
        asked = retry_after(response.headers.get("Retry-After")) if retry else None
        wait = None if asked is None else min(asked, LONGEST_WAIT)
        self._fail(
            f"answered {status}: {_reason(body) or response.reason_phrase}",
            Fault.RETRYABLE if retry else Fault.PERMANENT,
            status,
            wait,
        )

    def _fail(self, what: str, fault: Fault, status: int | None = None, wait: timedelta | None = None) -> NoReturn:
        for secret in self._secrets:
            what = what.replace(secret, "[secret]")
        advice = (
            "wait, or look at its status page" if status and fault is Fault.RETRYABLE else f"check {self._settings}"
        )
        message = f"{self._channel} {clean(what)}; {advice}"
        raise DeliveryFailure(message, fault=fault, status=status, retry_after=wait) from None


def encoded(body: JsonObject) -> bytes:
    """JSON as it is sent: UTF-8, without needless spaces."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


async def _read(response: httpx2.Response, deadline: float) -> bytes:
    """The beginning of the body. Of an answer that says yes, what is late or breaks off is not missed."""
    body = b""
    try:
        async with asyncio.timeout_at(deadline):
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_ANSWER:
                    break
    except (TimeoutError, httpx2.TransportError, httpx2.DecodingError):
        if not response.is_success:
            raise
    finally:
        await response.aclose()
    return body


def _object(body: bytes) -> JsonObject:
    try:
        content = from_json(body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _reason(body: bytes) -> str:
    """What a refusal says for itself: what these APIs put into ``message`` and ``errors``, or plain text."""
    content = _object(body)
    if content:
        said = [content.get("message"), content.get("errors"), content.get("error")]
        return ", ".join(one if isinstance(one, str) else json.dumps(one) for one in said if one)
    text = body.decode(errors="replace")
    return "" if "<" in text else text
