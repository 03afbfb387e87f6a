"""What becomes of errors that Temporal's client raises when it is cut off."""

import pytest
from temporalio.service import RPCError, RPCStatusCode

from surefoot.client.connection import translated
from surefoot.errors import Unreachable


def test_a_connection_that_breaks_in_mid_answer_is_told_as_unreachable() -> None:
    with pytest.raises(Unreachable, match="run 'r1': the connection to Temporal was lost"), translated("run 'r1'"):
        raise RPCError("transport error", RPCStatusCode.UNKNOWN, b"")
