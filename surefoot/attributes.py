"""The search attributes by which runs and incidents are found in Temporal."""

from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from surefoot.contracts.incidents import Incident
from surefoot.contracts.runs import RunRequest, RunStatus

TENANT = SearchAttributeKey.for_keyword("Tenant")
SESSION = SearchAttributeKey.for_keyword("Session")
PROFILE = SearchAttributeKey.for_keyword("Profile")
STATUS = SearchAttributeKey.for_keyword("Status")
WAITING = SearchAttributeKey.for_keyword("Waiting")
"""What a run waits for, such as an approval."""

KIND = SearchAttributeKey.for_keyword("Kind")
SUBJECT = SearchAttributeKey.for_keyword("Subject")
SEVERITY = SearchAttributeKey.for_keyword("Severity")
STATE = SearchAttributeKey.for_keyword("State")

ALL = (TENANT, SESSION, PROFILE, STATUS, WAITING, KIND, SUBJECT, SEVERITY, STATE)
"""What a namespace must have registered, all as keywords. SQLite has room for ten."""

APPROVAL = "approval"
"""The value of ``Waiting`` in a run that waits for a human."""
MAX_KEYWORD = 255
"""Characters; Temporal's PostgreSQL visibility store has columns of this width."""


def keyword(text: str) -> str:
    """The text as a keyword attribute can hold it in every visibility store: printable, and cut to its width."""
    return "".join(character if character.isprintable() else " " for character in text[:MAX_KEYWORD])


def of_new_run(request: RunRequest) -> TypedSearchAttributes:
    return TypedSearchAttributes(
        [
            SearchAttributePair(TENANT, request.tenant),
            SearchAttributePair(SESSION, request.session),
            SearchAttributePair(PROFILE, request.profile),
            SearchAttributePair(STATUS, RunStatus.RUNNING.value),
        ]
    )


def of_incident(incident: Incident) -> dict[SearchAttributeKey[str], str]:
    """What an incident is found by."""
    values = {
        TENANT: incident.report.tenant,
        KIND: incident.report.kind.value,
        SUBJECT: incident.report.subject,
        SEVERITY: incident.severity.name,
        STATE: incident.state.value,
    }
    return {key: keyword(value) for key, value in values.items()}
