"""Conversations of runs in Redis, compressed: a cache, since Temporal's histories hold them too."""

import base64
import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from pydantic import TypeAdapter

from surefoot.contracts.conversation import ConversationMessage
from surefoot.contracts.models import Preamble
from surefoot.contracts.transcripts import TranscriptRef
from surefoot.ports import Addition, Said
from surefoot.reliability.at_hand import AtHand
from surefoot.reliability.keys import tagged
from surefoot.reliability.store import Row, Step, Store, run
from surefoot.reliability.times import milliseconds

KEPT = timedelta(days=2)
"""After the last call of a model: longer than an approval takes, so that few runs have to send the whole again."""
MOST = 16 * 1024 * 1024
"""Bytes of one conversation, uncompressed. A larger one is not kept on, and travels in messages."""
AT_HAND = 32 * 1024 * 1024
"""Bytes of conversations that a worker remembers, so that it need not read what it wrote itself."""
LEVEL = 6
DIGITS = 32
"""Of a digest, in hexadecimal."""
KIND = "conversation"
"""Older workers, which know of no preambles, kept theirs under another name: they find none, and are sent the whole."""
PREAMBLE = "preamble"
_MESSAGE: TypeAdapter[ConversationMessage] = TypeAdapter(ConversationMessage)


@dataclass(frozen=True)
class Joining:
    """An addition on its way to Redis, and how it is referred to once it is there."""

    step: Step[bool]
    ref: TranscriptRef
    whole: Said | None
    """The conversation with it, if what was said before is at hand."""


class RedisTranscripts:
    """The port ``Transcripts`` on Redis: one hash a run, one chunk of it for each addition.

    A chunk replaces whatever began at its place, so an addition may be repeated, also with another answer. What is
    read is what was meant, whoever has written in between: the digest is computed anew each time.
    """

    def __init__(
        self, store: Store, prefix: str, *, kept: timedelta = KEPT, most: int = MOST, at_hand: int = AT_HAND
    ) -> None:
        self._store = store
        self._prefix = prefix
        self._kept = kept
        self._most = most
        self._at_hand = AtHand(at_hand)

    async def read(self, ref: TranscriptRef) -> Said | None:
        """What was said; None if some of it is missing, or is other than was meant. Raises ``StoreUnavailable``."""
        if ref.length == 0:
            return Said()
        if said := self._at_hand.get(ref):
            return said
        chunks = await self._store.one(Step(("HGETALL", self._key(ref)), _by_place))
        try:
            said = _meant(ref, chunks)
        except (ValueError, zlib.error):
            return None  # damaged, which is as good as missing
        if said:
            self._at_hand.put(ref, said)
        return said

    def joining(self, addition: Addition) -> Joining | None:
        """The step that adds to what is kept, for a batch that must not fail with it; None if there is no room."""
        ref, lines = addition.ref, [message.model_dump_json() for message in addition.messages]
        size = ref.size + sum(len(line.encode()) for line in lines)
        if size > self._most:
            return None
        preamble = addition.preamble
        before = _packed([preamble.model_dump_json()]) if preamble else ""
        words = (ref.length, _packed(lines), milliseconds(self._kept), before)
        step = run("transcripts/append", (self._key(ref),), words, bool, aside=True)
        joined = {
            "length": ref.length + len(lines),
            "digest": chained(ref.digest, lines),
            "size": size,
            "preamble": preamble.digest if preamble else ref.preamble,
        }
        return Joining(step, ref.model_copy(update=joined), self._whole(addition))

    def _whole(self, addition: Addition) -> Said | None:
        said = Said() if addition.ref.length == 0 else self._at_hand.get(addition.ref)
        if said is None:
            return None
        return Said((*said.messages, *addition.messages), addition.preamble or said.preamble)

    def joined(self, joining: Joining) -> TranscriptRef:
        """To be called once the step has been taken."""
        if joining.whole:
            self._at_hand.put(joining.ref, joining.whole)
        return joining.ref

    def _key(self, ref: TranscriptRef) -> str:
        return tagged(self._prefix, KIND, ref.key)


def chained(digest: str, lines: list[str]) -> str:
    """The digest of a conversation that goes on, from the digest of what came before."""
    for line in lines:
        digest = hashlib.sha256(f"{digest}\n{line}".encode()).hexdigest()[:DIGITS]
    return digest


def _meant(ref: TranscriptRef, chunks: dict[str, str]) -> Said | None:
    lines = list(_first(chunks, ref.length))
    if len(lines) != ref.length or chained("", lines) != ref.digest:
        return None
    messages = tuple(_MESSAGE.validate_json(line) for line in lines)
    if not ref.preamble:
        return Said(messages)
    preamble = _preamble(chunks.get(PREAMBLE, ""))
    return Said(messages, preamble) if preamble and preamble.digest == ref.preamble else None


def _preamble(chunk: str) -> Preamble | None:
    return Preamble.model_validate_json(_unpacked(chunk)[0]) if chunk else None


def _by_place(row: Row) -> dict[str, str]:
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
