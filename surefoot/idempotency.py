"""Ids that make a thing happen once: of runs, of side effects, of incidents and of approvals."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from urllib.parse import quote

from pydantic import JsonValue

from surefoot.contracts.incidents import IncidentReport
from surefoot.contracts.runs import RunRequest


def canonical(value: JsonValue) -> str:
    """Write a JSON value so that equal values give equal text: keys sorted, whole floats as integers."""
    return json.dumps(_whole(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _whole(value: JsonValue) -> JsonValue:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    return value


def digest(*parts: str) -> str:
    """A hash of the parts in which their boundaries count."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


MAX_WORKFLOW_ID = 900
"""Bytes; Temporal's own limit is 1000."""


def _encoded(*parts: str) -> str:
    """Join the parts so that no two lists of parts give the same text; what would be too long is hashed."""
    readable = ":".join(quote(part, safe="") for part in parts)
    return readable if len(readable) <= MAX_WORKFLOW_ID else f"sha256:::{digest(*parts)}"


def workflow_id(tenant: str, key: str) -> str:
    """The run's workflow id, an injective encoding of tenant and idempotency key."""
    return f"run:{_encoded(tenant, key)}"


def fingerprint(request: RunRequest) -> str:
    """A digest of what a run was asked to do: the same key with another one is refused."""
    return digest(canonical(request.model_dump(mode="json", exclude={"key", "tenant"})))


def effect_key(
    *, namespace: str, tenant: str, workflow_id: str, tool: str, identity: Mapping[str, JsonValue], occurrence: int
) -> str:
    """The ledger key of one side effect.

    It holds neither run id nor attempt nor turn, and so survives retry, worker loss, continue-as-new, reset and a
    new run under the same idempotency key.
    """
    return digest(namespace, tenant, workflow_id, tool, canonical(dict(identity)), str(occurrence))


def identifying(arguments: Mapping[str, JsonValue], fields: Iterable[str] | None) -> dict[str, JsonValue]:
    """The arguments that make two calls the same deed: those named, or all of them."""
    return dict(arguments) if fields is None else {name: arguments.get(name) for name in fields}


def incident_id(report: IncidentReport) -> str:
    """One incident for each kind, scope, subject and episode."""
    return f"incident-{_encoded(report.kind, report.tenant, report.subject, report.episode)}"


def approval_id(tool: str, arguments: Mapping[str, JsonValue], effect_key: str, asked: int) -> str:
    """A digest of what the human was shown; a decision is checked against it.

    ``asked`` numbers the requests of a run, so that a decision never answers a later request for the same call.
    """
    return digest(tool, canonical(dict(arguments)), effect_key, str(asked))[:16]
