"""Large payloads in S3, through Temporal's own driver and the AWS SDK, for those who install ``surefoot[s3]``.

The SDK finds region, address and credentials by itself, as every AWS program does. It blocks, so it runs in threads.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from importlib.util import find_spec
from threading import Lock
from typing import Any, Protocol, TypeVar

from temporalio.api.common.v1 import Payload
from temporalio.contrib.aws.s3driver import S3StorageDriver, S3StorageDriverClient
from temporalio.converter import StorageDriverClaim, StorageDriverRetrieveContext, StorageDriverStoreContext

from surefoot.errors import InvalidInput, NotFound, SurefootError, Unreachable

T = TypeVar("T")

INSTALL = "SUREFOOT_PAYLOAD_BUCKET is set and botocore is not installed: pip install 'surefoot[s3]'"
THREADS = 16
CONNECT_WITHIN = timedelta(seconds=2)
ANSWER_WITHIN = timedelta(seconds=5)
ATTEMPTS = 2
"""Of one request; then Temporal tries the whole again."""
MOST = 32 * 1024 * 1024
"""Bytes of one payload."""
_FOR_NOW = ("RequestTimeout", "SlowDown", "Throttling", "ThrottlingException", "TooManyRequests")


class S3(Protocol):
    """What is used of the SDK's client."""

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> object: ...  # the SDK's names

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]: ...  # as above


class BucketDriver(S3StorageDriver):
    """Temporal's driver, which keeps a payload below its run and its digest and holds it against that on reading.

    Its failures mean what those of the other stores mean.
    """

    def __init__(self, bucket: str) -> None:
        """Raises ``InvalidInput`` where the AWS SDK is not installed."""
        super().__init__(BucketClient(), bucket, max_payload_size=MOST)

    async def store(self, context: StorageDriverStoreContext, payloads: Sequence[Payload]) -> list[StorageDriverClaim]:
        """Raises ``Unreachable``, after which Temporal tries again, and ``InvalidInput`` for what S3 refuses."""
        try:
            return await super().store(context, payloads)
        except ValueError as error:  # it is too large
            raise InvalidInput(str(error)) from None
        except RuntimeError as error:
            raise _own(error) from error

    async def retrieve(
        self, context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        """Raises ``Unreachable``, ``InvalidInput``, and ``NotFound`` for a payload that is lost or another."""
        try:
            return await super().retrieve(context, claims)
        except ValueError as error:  # it has another digest
            raise NotFound(str(error)) from None
        except RuntimeError as error:
            raise _own(error) from error


def _own(error: RuntimeError) -> Exception:
    """What the client below raised, which the driver wraps."""
    return error.__cause__ if isinstance(error.__cause__, SurefootError) else error


class BucketClient(S3StorageDriverClient):
    """Puts and gets objects. The connection is made when it is first used."""

    def __init__(self) -> None:
        if find_spec("botocore") is None:
            raise InvalidInput(INSTALL)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="s3")
        self._opening = Lock()
        self._opened: S3 | None = None

    async def put_object(self, *, bucket: str, key: str, data: bytes) -> None:
        await self._ask(bucket, key, lambda s3: s3.put_object(Bucket=bucket, Key=key, Body=data))

    async def object_exists(self, *, bucket: str, key: str) -> bool:
        """Never, so that it is put again: a rule that expires objects then counts from the last use of this one."""
        return False

    async def get_object(self, *, bucket: str, key: str) -> bytes:
        def read(s3: S3) -> bytes:
            data: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            return data

        return await self._ask(bucket, key, read)

    async def _ask(self, bucket: str, key: str, request: Callable[[S3], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._asked, bucket, key, request)

    def _asked(self, bucket: str, key: str, request: Callable[[S3], T]) -> T:
        from botocore.exceptions import (
            BotoCoreError,
            ClientError,
            ConnectionError,
            HTTPClientError,
            IncompleteReadError,
        )

        try:
            return request(self._client())
        except ClientError as error:
            raise _refusal(error.response, bucket, key) from error
        except (ConnectionError, HTTPClientError, IncompleteReadError) as error:
            raise Unreachable(f"S3 does not answer for bucket {bucket!r}: {_one_line(error)}") from error
        except (BotoCoreError, ValueError) as error:
            raise InvalidInput(f"S3 cannot be asked for bucket {bucket!r}: {_one_line(error)}") from error

    def _client(self) -> S3:
        with self._opening:
            if self._opened is None:
                self._opened = _connected()
            return self._opened


def _connected() -> S3:
    from botocore.config import Config
    from botocore.session import get_session

    config = Config(
        connect_timeout=CONNECT_WITHIN.total_seconds(),
        read_timeout=ANSWER_WITHIN.total_seconds(),
        max_pool_connections=THREADS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
    )
    client: S3 = get_session().create_client("s3", config=config)
    return client


def _refusal(response: dict[str, Any], bucket: str, key: str) -> SurefootError:
    """What an answer of S3 that is not a success means.

    https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    """
    code, said = response["Error"].get("Code", ""), response["Error"].get("Message", "")
    if code == "NoSuchBucket":
        return InvalidInput(f"S3 has no bucket {bucket!r}; create it, or set SUREFOOT_PAYLOAD_BUCKET")
    if code == "NoSuchKey":
        return NotFound(f"the payload {key!r} is not in bucket {bucket!r} any more; restore it from a backup")
    if response["ResponseMetadata"]["HTTPStatusCode"] >= 500 or code in _FOR_NOW:
        return Unreachable(f"S3 does not serve bucket {bucket!r} now: {code} ({said})")
    return InvalidInput(f"S3 refuses what is asked of bucket {bucket!r}: {code} ({said})")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
