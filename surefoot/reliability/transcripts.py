"""Conversations of runs in Redis, compressed: a cache, since Temporal's histories hold them too."""

import base64
import hashlib
import zlib
from collections.abc import Iterator
from datetime import timedelta

from pydantic import TypeAdapter

from surefoot.contracts.conversation import ConversationMessage
from surefoot.contracts.transcripts import TranscriptRef
from surefoot.reliability.keys import tagged
from surefoot.reliability.store import Row, Step, Store, run
from surefoot.reliability.times import milliseconds

KEPT = timedelta(days=2)
"""After the last call of a model: longer than an approval takes, so that few runs have to send the whole again."""
MOST = 16 * 1024 * 1024
"""Bytes of one conversation, uncompressed. A larger one is not kept on, and travels in messages."""
LEVEL = 6
_MESSAGE: TypeAdapter[ConversationMessage] = TypeAdapter(ConversationMessage)


class RedisTranscripts:
    """The port ``Transcripts`` on Redis: one hash a run, one chunk of it for each append.

    A chunk replaces whatever began at its place, so an append may be repeated, also with another answer. What is
    read is what was meant, whoever has written in between: the digest is computed anew each time.
    """

    def __init__(self, store: Store, prefix: str, *, kept: timedelta = KEPT, most: int = MOST) -> None:
        self._store = store
        self._prefix = prefix
        self._kept = kept
        self._most = most

    async def read(self, ref: TranscriptRef) -> tuple[ConversationMessage, ...] | None:
        """The messages; None if some are missing, or are others. Raises ``StoreUnavailable``."""
        if ref.length == 0:
            return ()
        chunks = await self._store.one(Step(("HGETALL", self._key(ref)), _by_position))
        try:
            lines = list(_first(chunks, ref.length))
        except (ValueError, zlib.error):
            return None  # damaged, which is as good as missing
        if len(lines) != ref.length or chained("", lines) != ref.digest:
            return None
        return tuple(_MESSAGE.validate_json(line) for line in lines)

    async def append(self, ref: TranscriptRef, messages: tuple[ConversationMessage, ...]) -> TranscriptRef | None:
        """Add the messages behind the prefix; None if there is no room for them. Raises ``StoreUnavailable``."""
        lines = [message.model_dump_json() for message in messages]
        size = ref.size + sum(len(line.encode()) for line in lines)
        if size > self._most:
            return None
        words = (ref.length, _packed(lines), milliseconds(self._kept))
        await self._store.one(run("transcripts/append", (self._key(ref),), words, lambda _: None))
        digest = chained(ref.digest, lines)
        return ref.model_copy(update={"length": ref.length + len(lines), "digest": digest, "size": size})

    def _key(self, ref: TranscriptRef) -> str:
        return tagged(self._prefix, "transcript", ref.key)


def chained(digest: str, lines: list[str]) -> str:
    """The digest of a conversation that goes on, from the digest of what came before."""
    for line in lines:
        digest = hashlib.sha256(f"{digest}\n{line}".encode()).hexdigest()
    return digest


def _by_position(row: Row) -> dict[str, str]:
    return dict(zip(row[::2], row[1::2], strict=True))


def _first(chunks: dict[str, str], length: int) -> Iterator[str]:
    """The lines of the chunks that follow each other, up to a length or to a gap."""
    position = 0
    while position < length and (chunk := chunks.get(str(position))):
        lines = _unpacked(chunk)
        yield from lines[: length - position]
        position += len(lines)


def _packed(lines: list[str]) -> str:
    """One message a line: JSON has no line breaks of its own. As text, since all replies of Redis are read as text."""
    return base64.b64encode(zlib.compress("\n".join(lines).encode(), LEVEL)).decode()


def _unpacked(chunk: str) -> list[str]:
    return zlib.decompress(base64.b64decode(chunk)).decode().split("\n")
