"""The signature is the one of Standard Webhooks, and the code that receivers are shown checks it."""

import base64
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from surefoot.incidents.channels import signing
from surefoot.incidents.channels.signing import key_of, signed

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'


@pytest.fixture
def genuine() -> Callable[[str, dict[str, str], bytes], bool]:
    """The snippet of the documentation, run as it is printed."""
    (code,) = re.findall(r"```python\n(.*?)```", signing.__doc__ or "", re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    checker: Callable[[str, dict[str, str], bytes], bool] = names["genuine"]
    return checker


def test_the_signature_is_that_of_the_reference_libraries() -> None:
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = signed(key_of(SECRET), "msg_p5jXN8AQM9LWM0D4loKWxJek", at, BODY)
    assert headers["webhook-timestamp"] == "1614265330"
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("secret", [SECRET, "any text at all"])
def test_a_receiver_knows_what_is_genuine(secret: str, genuine: Callable[[str, dict[str, str], bytes], bool]) -> None:
    headers = signed(key_of(secret), "msg_1", datetime.now(UTC), BODY)
    assert genuine(secret, headers, BODY)
    assert not genuine(secret, headers, BODY + b" ")
    assert not genuine(secret, {**headers, "webhook-id": "msg_2"}, BODY)
    assert not genuine(f"whsec_{base64.b64encode(b'another').decode()}", headers, BODY)


def test_a_receiver_refuses_what_is_old(genuine: Callable[[str, dict[str, str], bytes], bool]) -> None:
    old = datetime.fromtimestamp(time.time() - 600, UTC)
    assert not genuine(SECRET, signed(key_of(SECRET), "msg_1", old, BODY), BODY)


def test_without_a_secret_nothing_is_signed() -> None:
    assert signed(None, "msg_1", datetime.now(UTC), BODY).keys() == {"webhook-id", "webhook-timestamp"}
