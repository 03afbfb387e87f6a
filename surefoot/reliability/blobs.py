"""What is too large for a history or a model, in Redis: compressed, bounded, and forgotten in time."""

import asyncio
import base64
import zlib
from datetime import timedelta

from surefoot.reliability.keys import tagged
from surefoot.reliability.store import Step, Store
from surefoot.reliability.times import milliseconds

KEPT = timedelta(days=2)
LIKE_HISTORIES = timedelta(days=35)
"""For what histories cannot be read without: longer than they are kept, and than a run waits for a person."""
MOST = 32 * 1024 * 1024
"""Bytes of one, uncompressed."""
LEVEL = 1
AT_ONCE = 64 * 1024
"""Bytes that are compressed between two other things that the process does; more are left to a thread."""


class RedisBlobs:
    """The port ``Blobs`` on Redis, one key each. Putting the same again, or reading it, lets it live on."""

    def __init__(self, store: Store, prefix: str, *, kept: timedelta = KEPT, most: int = MOST) -> None:
        self._store = store
        self._prefix = prefix
        self._kept = kept
        self._most = most

    async def put(self, key: str, data: bytes) -> bool:
        if len(data) > self._most:
            return False
        text = await asyncio.to_thread(_packed, data) if len(data) > AT_ONCE else _packed(data)
        await self._store.one(Step(("SET", self._key(key), text, "PX", milliseconds(self._kept)), lambda _: None))
        return True

    async def get(self, key: str) -> bytes | None:
        words = ("GETEX", self._key(key), "PX", milliseconds(self._kept))
        text = await self._store.one(Step(words, lambda row: row[0]))
        if not text:
            return None
        return await asyncio.to_thread(_unpacked, text) if len(text) > AT_ONCE else _unpacked(text)

    def _key(self, key: str) -> str:
        return tagged(self._prefix, "blob", key)


def _packed(data: bytes) -> str:
    """As text, since all replies of Redis are read as text."""
    return base64.b64encode(zlib.compress(data, LEVEL)).decode()


def _unpacked(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text))
