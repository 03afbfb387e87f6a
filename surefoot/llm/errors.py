"""The one table that says what a provider's failure means: who acts, what the breaker learns, what may be billed."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx2

from surefoot.contracts.breakers import Verdict
from surefoot.contracts.models import Usage
from surefoot.errors import Fault, ProviderFailure

_REFUSED = (Fault.PERMANENT, Verdict.NEUTRAL, False)
_FAILED = (Fault.RETRYABLE, Verdict.FAILURE, False)
_TIMED_OUT = (Fault.RETRYABLE, Verdict.FAILURE, True)
_BY_STATUS = {
    408: _TIMED_OUT,
    409: (Fault.RETRYABLE, Verdict.NEUTRAL, False),
    429: (Fault.RETRYABLE, Verdict.THROTTLED, False),
    504: _TIMED_OUT,
}
"""Other 5xx have failed unbilled ("if your request fails with a 400 or 500 error, you won't be charged", Gemini's
billing FAQ); everything else, such as 400, 401, 403, 404, 413, 422 and 3xx, is refused for good."""

_TOO_LONG = re.compile(
    r"input token count\b.{0,40}\bexceeds the maximum number of tokens allowed \(?(\d{1,9})"  # Gemini
    r"|too large for model with (\d{1,9}) maximum context length"  # Mistral
)
"""What providers say with a 400 of a prompt that is longer than the model's context, and how much that is: source for
Gemini google-gemini/gemini-cli#6678, for Mistral docs.mistral.ai/resources/known-limitations."""
_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)
_SECRETS = re.compile(r"AIza[\w-]{8,}|(?i:bearer\s+)[^\s\"',]+|(?i:\bkey=)[^\s&\"',]+")
_MAX_MESSAGE = 500
_LONGEST_WAIT = timedelta(days=1)


def redacted(text: str, *secrets: str) -> str:
    """The text without the given secrets and without anything that looks like a key, at most 500 characters."""
    for secret in secrets:
        text = text.replace(secret, "[secret]") if secret else text
    return _SECRETS.sub("[secret]", text)[:_MAX_MESSAGE]


def answered(
    provider: str, status: int, message: str, *, retry_after: timedelta | None = None, streaming: bool = False
) -> ProviderFailure:
    """The provider answered with an error status, or with an error in mid-stream, after which it may charge."""
    too_long = _TOO_LONG.search(message) if status == 400 else None
    otherwise = _FAILED if 500 <= status <= 599 else _REFUSED
    fault, verdict, maybe_billed = _BY_STATUS.get(status, otherwise)
    return ProviderFailure(
        f"{provider} answered {status}: {message}",
        fault=fault,
        verdict=verdict,
        maybe_billed=maybe_billed or streaming,
        status=status,
        retry_after=retry_after if fault is Fault.RETRYABLE else None,
        context_tokens=int(next(filter(None, too_long.groups()))) if too_long else 0,
    )


def unreached(provider: str, error: httpx2.RequestError) -> ProviderFailure:
    """The connection failed: billed is what may have left this machine."""
    if isinstance(error, httpx2.UnsupportedProtocol):
        fault, verdict, maybe_billed = _REFUSED
    else:
        fault, verdict, maybe_billed = Fault.RETRYABLE, Verdict.FAILURE, not isinstance(error, _NEVER_SENT)
    return ProviderFailure(
        f"the connection to {provider} failed: {type(error).__name__} {redacted(str(error))}".rstrip(),
        fault=fault,
        verdict=verdict,
        maybe_billed=maybe_billed,
    )


def silent(provider: str, idle_limit: timedelta) -> ProviderFailure:
    """Nothing came for as long as the caller is willing to wait."""
    return _broken(f"{provider} was silent for {idle_limit.total_seconds():g} s")


def broken_off(
    provider: str, why: str, *, usage: Usage | None = None, model_version: str | None = None
) -> ProviderFailure:
    """The answer ended too early or cannot be read. The same call may well succeed."""
    return _broken(f"{provider} gave a broken answer: {why}", usage, model_version)


def _broken(message: str, usage: Usage | None = None, model_version: str | None = None) -> ProviderFailure:
    fault, verdict, maybe_billed = _TIMED_OUT
    return ProviderFailure(
        message,
        fault=fault,
        verdict=verdict,
        maybe_billed=maybe_billed,
        usage=usage,
        model_version=model_version,
    )


def blocked(provider: str, why: str, *, usage: Usage | None, model_version: str | None) -> ProviderFailure:
    """The provider will not answer this, and charges for having read it."""
    return ProviderFailure(
        f"{provider} blocked the answer: {why}",
        fault=Fault.PERMANENT,
        verdict=Verdict.NEUTRAL,
        maybe_billed=True,
        usage=usage,
        model_version=model_version,
    )


def wait_asked_for(
    headers: Mapping[str, str], details: object = None, *, now: datetime | None = None
) -> timedelta | None:
    """How long the provider asks to wait, by the Retry-After header or Google's RetryInfo; at most a day."""
    wait = _from_header(headers.get("retry-after", ""), now or datetime.now(UTC))
    if wait is None:
        wait = _from_retry_info(details)
    return None if wait is None else min(max(wait, timedelta(0)), _LONGEST_WAIT)


def _from_header(value: str, now: datetime) -> timedelta | None:
    if (seconds := _seconds(value)) is not None:
        return seconds
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return at.replace(tzinfo=at.tzinfo or UTC) - now


def _from_retry_info(body: object) -> timedelta | None:
    error = body.get("error") if isinstance(body, Mapping) else None
    details = error.get("details") if isinstance(error, Mapping) else None
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, Mapping) and str(detail.get("@type", "")).endswith("google.rpc.RetryInfo"):
            return _seconds(str(detail.get("retryDelay", "")).removesuffix("s"))
    return None


def _seconds(text: str) -> timedelta | None:
    if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text.strip()):
        return None
    return timedelta(seconds=float(text))
