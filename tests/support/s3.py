"""A server that speaks S3 over HTTP, moto's, as a child process, and what a test looks at in it."""

import sys
from pathlib import Path
from typing import Any

from surefoot.embedded.ports import HOST, free_port, holds
from surefoot.embedded.processes import Child
from surefoot.embedded.redis import START
from surefoot.embedded.retries import on_free_ports

REGION = "eu-central-1"
SECRET = "never-in-a-repr"


def found_by_the_sdk(url: str) -> dict[str, str]:
    """Environment variables; the files of whoever runs the tests are not the tests'."""
    return {
        "AWS_ENDPOINT_URL_S3": url,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "surefoot",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


async def start_s3(*, log: Path) -> tuple[Child, str]:
    """The process and its address."""
    return await on_free_ports(lambda: _start(log))


async def _start(log: Path) -> tuple[Child, str]:
    port = free_port()
    child = await Child.start("S3", [sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(port)], log=log)

    async def listens() -> bool:
        return holds(child.pid, port)

    await child.ready(listens, within=START)
    return child, f"http://{HOST}:{port}"


class Shelf:
    """A bucket of one test, seen past the product."""

    def __init__(self, bucket: str) -> None:
        from botocore.session import get_session  # most tests need it not

        self.bucket = bucket
        self._s3: Any = get_session().create_client("s3")
        self._s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})

    def keys(self) -> list[str]:
        return [found["Key"] for found in self._s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])]

    def damage(self) -> None:
        for key in self.keys():
            self._s3.put_object(Bucket=self.bucket, Key=key, Body=b"something else")

    def lose(self) -> None:
        for key in self.keys():
            self._s3.delete_object(Bucket=self.bucket, Key=key)
