"""What people do about incidents."""

from surefoot.cli.output import Answer, words
from surefoot.cli.plain import one_line, public, when
from surefoot.client import SurefootClient
from surefoot.contracts.base import parse_duration
from surefoot.contracts.incidents import Acknowledgement, Incident, Reassignment, Resolution, Snooze


async def acknowledge(client: SurefootClient, id: str, by: str, reason: str) -> Answer:
    incident = await client.acknowledge(id, Acknowledgement(by=by, reason=reason))
    return _done(incident, f"acknowledged {id}, by {incident.acknowledged_by}; nobody else is called")


async def snooze(client: SurefootClient, id: str, length: str, by: str, reason: str) -> Answer:
    act = Snooze.model_validate({"by": by, "reason": reason, "length": parse_duration(length)})
    incident = await client.snooze(id, act)
    return _done(incident, f"snoozed {id} until {when(incident.snoozed_until)}")


async def reassign(client: SurefootClient, id: str, to: str, by: str, reason: str) -> Answer:
    incident = await client.reassign(id, Reassignment(by=by, reason=reason, to=to))
    return _done(incident, f"reassigned {id} to {incident.assignee}")


async def resolve(client: SurefootClient, id: str, by: str, reason: str) -> Answer:
    incident = await client.resolve(id, Resolution(by=by, reason=reason))
    return _done(incident, f"resolved {id}, by {incident.resolved_by}")


def _done(incident: Incident, said: str) -> Answer:
    return Answer(public(incident), [words(one_line(said))])
