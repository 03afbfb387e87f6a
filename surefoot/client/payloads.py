"""How messages travel to and from Temporal: as JSON, and the large ones by reference where the settings say so.

This and ``bucket.py`` alone know Temporal's external storage, which is experimental.
"""

import hashlib
from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar

from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticPayloadConverter
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

PROBE = Payload(metadata={"encoding": b"binary/plain"}, data=b"surefoot was here")
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


class _Redis:
    """Connects when the first large payload is met: most commands meet none."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def _blobs(self) -> Blobs:
        from surefoot.reliability.blobs import LIKE_HISTORIES, RedisBlobs
        from surefoot.reliability.opening import patient_store

        return RedisBlobs(patient_store(self._settings), self._settings.key_prefix, kept=LIKE_HISTORIES)

    async def put(self, key: str, data: bytes) -> bool:
        return await self._blobs.put(key, data)

    async def get(self, key: str) -> bytes | None:
        return await self._blobs.get(key)


def by_reference(blobs: Blobs, *, above: int) -> DataConverter:
    """Keeps payloads of so many bytes and more out of line."""
    return _converter([driver := BlobDriver(blobs)], driver, above)


def _converter(readers: Sequence[StorageDriver], writer: StorageDriver | None, above: int) -> DataConverter:
    storage = ExternalStorage(
        drivers=readers, driver_selector=lambda _context, _payload: writer, payload_size_threshold=above
    )
    return DataConverter(payload_converter_class=OneConverter, external_storage=storage)


class OneConverter(PydanticPayloadConverter):
    """The same object whenever it is made: the SDK makes one for nearly every payload, to see each type anew."""

    _made: ClassVar["OneConverter | None"] = None

    def __new__(cls) -> "OneConverter":
        """The one, which the first call makes."""
        if cls._made is None:
            cls._made = super().__new__(cls)
            PydanticPayloadConverter.__init__(cls._made)
        return cls._made

    def __init__(self) -> None:
        """It is made already."""


def converter(settings: Settings) -> DataConverter:
    """What every client and worker with these settings uses.

    It reads what any store has kept, so that the settings may change while runs are open. Raises ``InvalidInput``
    when a bucket is set and the AWS SDK is not installed.
    """
    stores = _stores(settings)
    return _converter([*stores.values()], stores.get(settings.payload_store), settings.payload_threshold)


def _stores(settings: Settings) -> dict[str, StorageDriver]:
    """Each one that can be asked, by its name in the settings."""
    stores: dict[str, StorageDriver] = {"redis": BlobDriver(_Redis(settings))}
    if settings.payload_bucket is not None:
        from surefoot.client.bucket import BucketDriver

        stores["s3"] = BucketDriver(settings.payload_bucket)
    return stores


async def try_out(settings: Settings) -> None:
    """Keep a payload of a few bytes where large ones go, and read it back.

    Raises ``InvalidInput`` when the store refuses, ``Unreachable`` when it does not answer.
    """
    store = _stores(settings).get(settings.payload_store)
    if store is not None:
        claims = await store.store(StorageDriverStoreContext(), [PROBE])
        await store.retrieve(StorageDriverRetrieveContext(), claims)
