"""The way to Temporal: connecting, and what its errors mean to a caller."""

import asyncio
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from temporalio.client import (
    Client,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.exceptions import ApplicationError
from temporalio.runtime import Runtime
from temporalio.service import RPCError, RPCStatusCode

from surefoot.client.payloads import converter
from surefoot.errors import InvalidInput, NotFound, SurefootError, Unreachable
from surefoot.settings import Settings

DEFAULT_ADDRESS = "localhost:7233"
CONNECT_WITHIN = timedelta(seconds=3)
_NO_HANDLER = "expected but not found"
"""What a workflow of another type says to a query or an update."""
_TOO_LARGE = "Blob data size exceeds limit"
"""What the server says to a query whose answer has more than 2 MB."""
_CUT_OFF = "transport error"
"""What the SDK says, after retries of its own, of connections that break as soon as they are made."""


def address(settings: Settings) -> ClientConnectConfig:
    """How to reach Temporal: by the ``TEMPORAL_*`` variables and profiles, else by the settings.

    Raises ``InvalidInput`` when Temporal's configuration file or profile cannot be used.
    """
    try:
        config = ClientConfig.load_client_connect_config(override_env_vars=dict(os.environ))
    except RuntimeError as error:
        raise InvalidInput(f"Temporal's configuration: {_one_line(error)}") from None
    config.setdefault("target_host", settings.temporal_address or DEFAULT_ADDRESS)
    config.setdefault("namespace", settings.temporal_namespace)
    return config


async def connect(settings: Settings, *, runtime: Runtime | None = None) -> Client:
    """Connect to Temporal; raises ``Unreachable`` when it does not answer within ``CONNECT_WITHIN``."""
    config = address(settings)
    try:
        async with asyncio.timeout(CONNECT_WITHIN.total_seconds()):
            return await Client.connect(
                **config,
                data_converter=converter(settings),
                connect_timeout=CONNECT_WITHIN,
                runtime=runtime,
            )
    except TimeoutError:
        raise _silent(config, f"no answer within {CONNECT_WITHIN.total_seconds():g} s") from None
    except (RuntimeError, ValueError) as error:
        raise _silent(config, _cause(error)) from None


def _silent(config: ClientConnectConfig, why: str) -> Unreachable:
    return Unreachable(
        f"Temporal does not answer at {config.get('target_host')!r} ({why}); "
        "run `./starter.py up` or set TEMPORAL_ADDRESS"
    )


def _cause(error: Exception) -> str:
    """The innermost message in the text of a connection error, which is a dump of nested structures."""
    quoted = re.findall(r'(?:message|error): "([^"]+)"', str(error))
    return quoted[-1] if quoted else _one_line(error)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


@contextmanager
def translated(subject: str) -> Iterator[None]:
    """Turn what Temporal's client raises into Surefoot's errors; ``subject`` names what was asked about."""
    try:
        yield
    except RPCError as error:
        raise _meaning(error, subject) from error
    except WorkflowUpdateFailedError as error:
        said = error.cause.message if isinstance(error.cause, ApplicationError) else str(error.cause)
        raise _refusal(said, subject) from error
    except WorkflowUpdateRPCTimeoutOrCancelledError as error:
        raise _nobody(subject) from error
    except WorkflowQueryFailedError as error:
        if _NO_HANDLER in str(error):
            raise _foreign(subject) from error
        if _TOO_LARGE in str(error):
            hint = "set SUREFOOT_PAYLOAD_STORE to redis or s3, for workers too"
            raise InvalidInput(f"{subject}: what was asked for is too large for Temporal; {hint}") from error
        raise SurefootError(f"{subject}: {_one_line(error)}") from error


def _refusal(said: str, subject: str) -> SurefootError:
    return _foreign(subject) if _NO_HANDLER in said else InvalidInput(f"{subject}: {said}")


def _foreign(subject: str) -> NotFound:
    return NotFound(f"{subject} is not what it is taken for; see `./starter.py runs` and `./starter.py incidents list`")


def _nobody(subject: str) -> Unreachable:
    return Unreachable(f"{subject}: no worker answers; see that one runs (worker.py, or `./starter.py up`)")


def _meaning(error: RPCError, subject: str) -> SurefootError:
    match error.status:
        case RPCStatusCode.NOT_FOUND if "amespace" in error.message:
            return Unreachable(f"Temporal: {error.message.rstrip('.')}; create the namespace or set TEMPORAL_NAMESPACE")
        case RPCStatusCode.NOT_FOUND if "already completed" in error.message:
            return NotFound(f"{subject} has ended already")
        case RPCStatusCode.NOT_FOUND:
            return NotFound(f"{subject} is not known; see `./starter.py runs` and `./starter.py incidents list`")
        case RPCStatusCode.FAILED_PRECONDITION | RPCStatusCode.DEADLINE_EXCEEDED | RPCStatusCode.CANCELLED:
            return _nobody(subject)
        case RPCStatusCode.UNKNOWN if error.message == _CUT_OFF:
            return Unreachable(f"{subject}: the connection to Temporal was lost; try again")
        case RPCStatusCode.UNAVAILABLE:
            return Unreachable(f"Temporal does not answer any more ({_one_line(error)}); try again")
        case RPCStatusCode.PERMISSION_DENIED | RPCStatusCode.UNAUTHENTICATED:
            return Unreachable(f"Temporal refuses the credentials ({_one_line(error)}); set TEMPORAL_API_KEY or TLS")
        case RPCStatusCode.INVALID_ARGUMENT:
            return InvalidInput(f"Temporal refuses: {_one_line(error)}; `./starter.py doctor` checks the set-up")
        case _:
            return SurefootError(f"{subject}: Temporal answered {_one_line(error)!r}")
