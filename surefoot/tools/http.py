"""A tool's back end over HTTP: one exchange within one deadline, its failures classified where they happen.

| what happened                                            | fault      | verdict   | reached | maybe done |
| -------------------------------------------------------- | ---------- | --------- | ------- | ---------- |
| no connection, or no time left, before the request began | retryable  | failure   | no      | no         |
| the request began and no whole answer came: time-out,    | retryable  | failure   | yes     | yes        |
| reset, cut body                                          |            |           |         |            |
| 2xx with a body that is not JSON                         | retryable  | failure   | yes     | yes        |
| 2xx with a body over 1 MB                                | permanent  | neutral   | yes     | yes        |
| 303                                                      | permanent  | neutral   | yes     | yes        |
| other 3xx: redirects are not followed                    | permanent  | neutral   | yes     | no         |
| 401, 403, 407                                            | permanent  | neutral   | yes     | no         |
| 408, 425                                                 | retryable  | failure   | yes     | no         |
| 429                                                      | retryable  | throttled | yes     | no         |
| 409 with Retry-After                                     | retryable  | neutral   | yes     | yes        |
| other 4xx                                                | the model's| neutral   | yes     | no         |
| 503 with Retry-After                                     | retryable  | failure   | yes     | no         |
| other 5xx                                                | retryable  | failure   | yes     | yes        |

- *maybe done* is always no for GET, which by RFC 9110 section 9.2.1 does nothing.
- A 2xx says that the effect happened, so an unreadable body is retryable: a target that honours the key answers its
  repetition with the same result, a verifiable one is asked first, an unsafe tool has no second attempt and ends as
  unknown. A body that is too large would be so again.
- 408 and 425 say that the request was not handled (RFC 9110 section 15.5.9, RFC 8470 section 5.2). So does 503 by
  section 15.6.4, but proxies also answer it when the connection to the target broke half-way; only a target that
  names a time to come back is known to have refused.
- 409 with Retry-After is how a target says that the first request with this key is still being worked on; 409
  without it is a conflict that the model can act on.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NoReturn
from urllib.parse import quote

import httpx2
from pydantic import JsonValue
from pydantic_core import from_json

from surefoot.contracts.base import JsonObject
from surefoot.contracts.breakers import Verdict
from surefoot.errors import Fault, ToolFailure
from surefoot.ports import ToolContext

MAX_BODY = 1_000_000
"""Bytes of an answer."""
MAX_MESSAGE = 500
"""Characters of a refusal's text that the model is shown."""
LONGEST_WAIT = timedelta(days=1)
IDEMPOTENCY_KEY = "Idempotency-Key"


class Backend:
    """One HTTP API. Every method takes the path in segments, which it quotes, and raises ``ToolFailure``."""

    def __init__(self, name: str, base_url: str, client: httpx2.AsyncClient) -> None:
        self.name = name
        self._base_url = base_url.rstrip("/")
        self._client = client

    async def get(self, *path: str, context: ToolContext, query: Mapping[str, str] | None = None) -> JsonValue:
        """Read."""
        return await _Exchange(self.name, "GET", context).run(self._client, self._url(path), query, None)

    async def find(self, *path: str, context: ToolContext, query: Mapping[str, str] | None = None) -> JsonValue:
        """Read what may not be there: None if the answer is 404."""
        try:
            return await self.get(*path, context=context, query=query)
        except ToolFailure as failure:
            if failure.status == httpx2.codes.NOT_FOUND:
                return None
            raise

    async def post(self, *path: str, context: ToolContext, body: JsonObject) -> JsonValue:
        """Do something; the context's key goes with it."""
        return await _Exchange(self.name, "POST", context).run(self._client, self._url(path), None, body)

    def _url(self, path: tuple[str, ...]) -> str:
        for segment in path:
            if not segment.strip("."):
                raise ToolFailure(
                    f"{segment!r} cannot be asked for",
                    fault=Fault.MODELS_OWN,
                    verdict=Verdict.NEUTRAL,
                    reached=False,
                    maybe_done=False,
                )
        return "/".join((self._base_url, *(quote(segment, safe="") for segment in path)))


class _Exchange:
    """One request and its answer. Knows whether the request has begun to leave, and so what may have been done."""

    def __init__(self, name: str, method: str, context: ToolContext) -> None:
        self._name = name
        self._method = method
        self._context = context
        self._began = False

    async def run(
        self, client: httpx2.AsyncClient, url: str, query: Mapping[str, str] | None, body: JsonObject | None
    ) -> JsonValue:
        seconds = self._context.deadline.total_seconds()
        request = client.build_request(
            self._method, url, params=query, json=body, headers=self._headers(), timeout=seconds
        )
        request.extensions["trace"] = self._watch
        try:
            async with asyncio.timeout(seconds):
                return await self._answer(client, request)
        except (TimeoutError, httpx2.TimeoutException):
            self._broken(f"did not answer within {seconds:g} s")
        except (httpx2.TransportError, httpx2.DecodingError) as error:
            self._broken(f"broke off: {error}" if self._began else f"cannot be reached: {error}")

    def _headers(self) -> dict[str, str]:
        return {IDEMPOTENCY_KEY: self._context.key} if self._context.key and self._method != "GET" else {}

    async def _watch(self, event: str, info: Mapping[str, object]) -> None:
        self._began = self._began or event.endswith(".send_request_headers.started")

    async def _answer(self, client: httpx2.AsyncClient, request: httpx2.Request) -> JsonValue:
        response = await client.send(request, stream=True, follow_redirects=False)
        try:
            body = await _read(response)
        finally:
            await response.aclose()
        if not response.is_success:
            self._refused(response, body or b"")
        if body is None:
            self._fail(f"answered with more than {MAX_BODY} bytes", Fault.PERMANENT, response.status_code, done=True)
        return self._parsed(response, body)

    def _parsed(self, response: httpx2.Response, body: bytes) -> JsonValue:
        if not body.strip():
            return None
        try:
            content: JsonValue = from_json(body, allow_inf_nan=False)
        except ValueError:
            status = response.status_code
            self._fail(
                f"answered {status} with a body that is not JSON", Fault.RETRYABLE, status, Verdict.FAILURE, done=True
            )
        return content

    def _refused(self, response: httpx2.Response, body: bytes) -> NoReturn:
        status = response.status_code
        wait = retry_after(response.headers.get("Retry-After"))
        fault, verdict, done = _classified(status, asked_to_wait=wait is not None)
        told = _reason(body) or response.reason_phrase
        self._fail(f"answered {status}: {told}", fault, status, verdict, done=done, wait=wait)

    def _broken(self, what: str) -> NoReturn:
        self._fail(what, Fault.RETRYABLE, None, Verdict.FAILURE, done=self._began)

    def _fail(
        self,
        what: str,
        fault: Fault,
        status: int | None,
        verdict: Verdict = Verdict.NEUTRAL,
        *,
        done: bool,
        wait: timedelta | None = None,
    ) -> NoReturn:
        raise ToolFailure(
            f"{self._name} {what}",
            fault=fault,
            verdict=verdict,
            reached=self._began,
            maybe_done=done and self._method != "GET",
            status=status,
            retry_after=wait,
        ) from None


def _classified(status: int, *, asked_to_wait: bool) -> tuple[Fault, Verdict, bool]:
    """Fault, verdict and whether the effect may have happened: the rows of the table above that have a status."""
    match status:
        case 429:
            return Fault.RETRYABLE, Verdict.THROTTLED, False
        case 408 | 425:
            return Fault.RETRYABLE, Verdict.FAILURE, False
        case 409 if asked_to_wait:
            return Fault.RETRYABLE, Verdict.NEUTRAL, True
        case 401 | 403 | 407:
            return Fault.PERMANENT, Verdict.NEUTRAL, False
        case _ if status >= 500:
            return Fault.RETRYABLE, Verdict.FAILURE, not (status == 503 and asked_to_wait)
        case _ if status >= 400:
            return Fault.MODELS_OWN, Verdict.NEUTRAL, False
        case _:
            return Fault.PERMANENT, Verdict.NEUTRAL, status == 303


async def _read(response: httpx2.Response) -> bytes | None:
    """The body, or None if it is too large."""
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return body


def _reason(body: bytes) -> str:
    """What a refusal says for itself, in one line."""
    try:
        content = from_json(body)
    except ValueError:
        return ""
    said = (content.get("error") or content.get("detail")) if isinstance(content, dict) else None
    if isinstance(said, dict) and isinstance(said.get("message"), str):
        said = said["message"]
    return " ".join(str(said or "").split())[:MAX_MESSAGE]


def retry_after(header: str | None) -> timedelta | None:
    """The time to wait that a ``Retry-After`` header asks for, in seconds or as a date (RFC 9110 section 10.2.3).

    None if there is none or it cannot be read; a day at most.
    """
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), LONGEST_WAIT.total_seconds()))
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    wait = moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)
    return min(max(wait, timedelta(0)), LONGEST_WAIT)
