"""How messages travel to and from Temporal: as JSON, and the large ones by reference where the settings say so.

The one module that knows Temporal's external storage, which is experimental.
"""

import dataclasses
import hashlib
from collections.abc import Sequence

from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import (
    DataConverter,
    ExternalStorage,
    StorageDriver,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverStoreContext,
)

from surefoot.errors import InvalidInput, NotFound
from surefoot.ports import Blobs
from surefoot.settings import Settings

NAME = "surefoot.blobs"
"""Stands in histories: whoever reads one needs a driver of this name."""
DIGEST = "sha256"


class BlobDriver(StorageDriver):
    """Keeps payloads as blobs, under their digests: the same one is kept once."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def name(self) -> str:
        return NAME

    def type(self) -> str:
        return NAME

    async def store(self, context: StorageDriverStoreContext, payloads: Sequence[Payload]) -> list[StorageDriverClaim]:
        """Raises ``StoreUnavailable``, after which Temporal tries again, and ``InvalidInput`` for a huge payload."""
        return [await self._stored(payload.SerializeToString(deterministic=True)) for payload in payloads]

    async def _stored(self, data: bytes) -> StorageDriverClaim:
        digest = hashlib.sha256(data).hexdigest()
        if not await self._blobs.put(_key(digest), data):
            raise InvalidInput(f"a payload of {len(data)} bytes is too large to be kept out of line")
        return StorageDriverClaim(claim_data={DIGEST: digest})

    async def retrieve(
        self, context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        """Raises ``StoreUnavailable``, and ``NotFound`` for a payload that the store has lost."""
        return [await self._retrieved(claim.claim_data[DIGEST]) for claim in claims]

    async def _retrieved(self, digest: str) -> Payload:
        data = await self._blobs.get(_key(digest))
        if data is None or hashlib.sha256(data).hexdigest() != digest:
            raise NotFound(f"the payload {digest!r} is not in the store any more; restore it from a backup of Redis")
        return Payload.FromString(data)


def _key(digest: str) -> str:
    return f"payload/{digest}"


def by_reference(blobs: Blobs, *, above: int) -> DataConverter:
    """Keeps payloads of so many bytes and more out of line."""
    storage = ExternalStorage(drivers=[BlobDriver(blobs)], payload_size_threshold=above)
    return dataclasses.replace(pydantic_data_converter, external_storage=storage)


def converter(settings: Settings) -> DataConverter:
    """What every client and worker with these settings uses."""
    if settings.payload_store == "inline":
        return pydantic_data_converter
    from surefoot.reliability.blobs import LIKE_HISTORIES, RedisBlobs  # most commands need no Redis
    from surefoot.reliability.store import Store

    store = Store.connect(settings.redis_url.get_secret_value(), timeout=settings.store_timeout)
    return by_reference(RedisBlobs(store, settings.key_prefix, kept=LIKE_HISTORIES), above=settings.payload_threshold)
