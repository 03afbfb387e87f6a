"""Answers in chunks, so that a fault can stop one half-way."""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from pydantic import JsonValue
from starlette.types import Receive, Scope, Send


@dataclass(frozen=True)
class Answer:
    """An HTTP answer whose chunks leave one by one; with several, its length is not announced."""

    status: int
    content_type: str
    chunks: tuple[bytes, ...]
    headers: dict[str, str] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.start(send)
        for chunk in self.chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await asyncio.sleep(0)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def start(self, send: Send) -> None:
        headers = {"content-type": self.content_type, **self.headers}
        if len(self.chunks) == 1:
            headers["content-length"] = str(len(self.chunks[0]))
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": raw})

    @property
    def first_half(self) -> bytes:
        """Half of the chunks, or half of the only one."""
        whole = len(self.chunks) // 2
        return b"".join(self.chunks[:whole]) if whole else self.chunks[0][: len(self.chunks[0]) // 2]


def json_answer(status: int, value: JsonValue, headers: dict[str, str] | None = None) -> Answer:
    body = json.dumps(value, ensure_ascii=False).encode()
    return Answer(status, "application/json; charset=UTF-8", (body,), headers or {})


def stream_answer(events: Iterable[str]) -> Answer:
    """Server-sent events that are already framed."""
    return Answer(200, "text/event-stream", tuple(event.encode() for event in events))


MALFORMED = Answer(200, "application/json", (b'{"unfinished": [1, 2',))
