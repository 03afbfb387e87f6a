"""What S3 may answer, and what is told of it in one line."""

import sys

import pytest
from structlog.testing import capture_logs

from surefoot.client.payloads import converter, try_out
from surefoot.embedded.processes import ChildDied
from surefoot.errors import InvalidInput, SurefootError, Unreachable
from surefoot.settings import Settings, load
from tests.support.s3 import SECRET, Shelf
from tests.support.workers import worker_process
from tests.tools.rude_server import answers, rude_server
from worker import try_out_payloads


@pytest.fixture
def bucketed(settings: Settings, shelf: Shelf) -> Settings:
    return settings.model_copy(update={"payload_store": "s3", "payload_bucket": shelf.bucket})


async def complaint(settings: Settings, kind: type[SurefootError]) -> str:
    with pytest.raises(kind) as caught:
        await try_out(settings)
    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value)
    return str(caught.value)


async def test_a_bucket_that_is_there_takes_and_gives(bucketed: Settings, shelf: Shelf) -> None:
    await try_out(bucketed)
    await try_out(bucketed)
    assert len(shelf.keys()) == 1
    assert SECRET not in repr(bucketed)


async def test_payloads_lie_below_their_namespace_and_digest(bucketed: Settings, shelf: Shelf) -> None:
    await converter(bucketed).encode(["x" * (bucketed.payload_threshold - 100), "x" * bucketed.payload_threshold])
    (key,) = shelf.keys()
    assert "/d/sha256/" in key


async def test_a_bucket_that_is_not_there_is_named_when_a_worker_starts(bucketed: Settings) -> None:
    elsewhere = bucketed.model_copy(update={"payload_bucket": "nobodys"})
    with pytest.raises(ChildDied) as caught:
        async with worker_process(elsewhere):
            pass
    assert "exit code 2" in caught.value.told
    assert "worker: S3 has no bucket 'nobodys'; create it, or set SUREFOOT_PAYLOAD_BUCKET" in str(caught.value)


async def test_a_worker_starts_although_s3_is_away(bucketed: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    with capture_logs() as said:
        await try_out_payloads(bucketed)
    assert [line["event"] for line in said] == ["large payloads cannot be kept yet"]


@pytest.mark.parametrize(
    ("variables", "kind", "told"),
    [
        ({"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"}, Unreachable, "S3 does not answer for bucket"),
        ({"AWS_ENDPOINT_URL_S3": "nonsense"}, InvalidInput, "Invalid endpoint"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, InvalidInput, "Unable to locate credentials"),
        ({"AWS_PROFILE": "nobodys"}, InvalidInput, "nobodys"),
    ],
)
async def test_what_the_sdk_cannot_use_is_told(
    bucketed: Settings,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    kind: type[SurefootError],
    told: str,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert told in await complaint(bucketed, kind)


@pytest.mark.parametrize(
    ("status", "code", "kind", "told"),
    [
        (403, "AccessDenied", InvalidInput, "S3 refuses what is asked of bucket"),
        (503, "SlowDown", Unreachable, "S3 does not serve bucket"),
    ],
)
async def test_a_refusal_for_good_is_told_from_one_for_now(
    bucketed: Settings, monkeypatch: pytest.MonkeyPatch, status: int, code: str, kind: type[SurefootError], told: str
) -> None:
    said = f"<Error><Code>{code}</Code><Message>as I say</Message></Error>".encode()
    async with rude_server(answers(status, said)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.url)
        complained = await complaint(bucketed, kind)
    assert told in complained
    assert f"{code} (as I say)" in complained


async def test_a_bucket_that_nobody_can_have_is_refused(bucketed: Settings) -> None:
    await complaint(bucketed.model_copy(update={"payload_bucket": "no such/name"}), InvalidInput)


def test_without_the_sdk_it_says_what_to_install(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore", None)
    with pytest.raises(InvalidInput, match=r"pip install 'surefoot\[s3\]'"):
        converter(settings.model_copy(update={"payload_bucket": "mine"}))
    converter(settings)


def test_s3_without_a_bucket_is_refused_by_name() -> None:
    with pytest.raises(
        InvalidInput, match=r"^SUREFOOT_PAYLOAD_BUCKET: is not set, and SUREFOOT_PAYLOAD_STORE=s3 needs"
    ):
        load(REDIS_URL="redis://127.0.0.1:9", SUREFOOT_PAYLOAD_STORE="s3", _env_file=None)
