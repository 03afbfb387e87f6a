"""A provider's end of the wire: a real HTTP server on loopback that answers what a test tells it to."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum, auto
from typing import Any


class End(Enum):
    """How an answer may end other than properly."""

    RESET = auto()
    CUT = auto()
    """The connection closes before the last chunk."""


Piece = bytes | timedelta | End


@dataclass
class Answer:
    pieces: tuple[Piece, ...]
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    body: Any


class Wire:
    """Keeps what was asked; answers in the order given, the last answer for ever."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.url = ""
        self._answers: list[Answer] = []

    def answer(
        self, *pieces: Piece, status: int = 200, content_type: str = "text/event-stream", **headers: str
    ) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._answers.append(Answer(pieces, status, {"content-type": content_type, **named}))

    def answer_json(self, status: int, body: object, **headers: str) -> None:
        self.answer(json.dumps(body).encode(), status=status, content_type="application/json", **headers)

    def answer_events(self, *events: object, end: str = "") -> None:
        self.answer(*sse(events), end.encode())

    def forget(self) -> None:
        """Forget the answers given so far, so that the next one told is the next one given."""
        self._answers.clear()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            self.requests.append(await _read(reader))
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
            await _write(writer, answer)
        writer.close()


def sse(events: Iterable[object]) -> tuple[bytes, ...]:
    return tuple(f"data: {json.dumps(event)}\r\n\r\n".encode() for event in events)


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers["content-length"]))
    return Request(head[0].split(" ")[1], headers, json.loads(body))


async def _write(writer: asyncio.StreamWriter, answer: Answer) -> None:
    headers = {**answer.headers, "transfer-encoding": "chunked", "connection": "close"}
    lines = [f"HTTP/1.1 {answer.status} Told", *(f"{name}: {value}" for name, value in headers.items())]
    head = "\r\n".join(lines).encode() + b"\r\n\r\n"
    for number, piece in enumerate(answer.pieces):
        if isinstance(piece, timedelta):
            await asyncio.sleep(piece.total_seconds())
        elif isinstance(piece, End):
            if piece is End.RESET:
                writer.transport.abort()
            return
        else:
            writer.write((head if number == 0 else b"") + _chunk(piece))
            await writer.drain()
    writer.write(b"0\r\n\r\n")


def _chunk(piece: bytes) -> bytes:
    return f"{len(piece):x}\r\n".encode() + piece + b"\r\n" if piece else b""


@asynccontextmanager
async def wire() -> AsyncIterator[Wire]:
    end = Wire()
    server = await asyncio.start_server(end.serve, "127.0.0.1", 0)
    end.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield end
    finally:
        server.close()
