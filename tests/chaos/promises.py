"""The promises that no storm may break, judged on what can be seen from outside."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from surefoot.client.incidents import INCIDENT_WORKFLOW
from surefoot.client.runs import RUN_WORKFLOW
from surefoot.contracts.incidents import Incident, IncidentKind
from surefoot.errors import ErrorType
from surefoot.llm.pricing import GenaiPricing
from surefoot.simulator.records import CallEntry, EffectEntry
from tests.chaos.evidence import Books, Evidence
from tests.chaos.gale import Log, fresh

MAIL = "mail"
_TAG = re.compile(r"storm-\d{4}")


@dataclass(frozen=True)
class Finding:
    """How a promise held: on how many things, and where it did not."""

    promise: str
    checked: int
    breaches: tuple[str, ...] = ()
    note: str = ""

    @property
    def held(self) -> bool:
        return not self.breaches


def judged(log: Log, seen: Evidence) -> list[Finding]:
    """Every promise, in the order in which they are told."""
    return [
        *judged_without_redis(log, seen),
        _accounted_for(seen),
        _within_caps(seen),
        _held(seen),
        _settled(log, seen),
        _served(seen),
        _one_incident_an_episode(seen),
    ]


def judged_without_redis(log: Log, seen: Evidence) -> list[Finding]:
    """The promises that hold although Redis has forgotten what it knew."""
    return [
        _ends(log),
        _once(seen),
        _mailed_once(seen),
        _reported_deeds_happened(log, seen),
        _incidents_answer(seen),
        _twins(log, seen),
    ]


def _ends(log: Log) -> Finding:
    """A typed failure has its type from the one list of types."""
    lost = [f"{run} has not ended" for run in log.accepted if run not in log.ends]
    odd = [
        f"{run} ended with {end.kind}" for run, end in log.ends.items() if end.error and end.kind not in set(ErrorType)
    ]
    kinds = Counter(end.kind for end in log.ends.values())
    note = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    return Finding("Every accepted run ends, with an answer or a typed error", len(log.accepted), (*lost, *odd), note)


def _deed(effect: EffectEntry) -> tuple[str, str, str] | None:
    """What the run meant to do once, where its tag stands in the deed."""
    body = json.dumps(effect.body)
    tag = _TAG.search(body)
    return (effect.operation, tag.group(), str(effect.body.get("product", ""))) if tag else None


def _repeated(things: Iterable[object]) -> tuple[str, ...]:
    return tuple(f"{thing} happened {count} times" for thing, count in Counter(things).items() if count > 1)


def _once(seen: Evidence) -> Finding:
    effects = [effect for effect in seen.effects if effect.target != MAIL]
    by_key = _repeated((effect.operation, effect.key) for effect in effects)
    by_deed = _repeated(deed for deed in map(_deed, effects) if deed)
    note = ", ".join(f"{count} {name}" for name, count in Counter(effect.operation for effect in effects).items())
    return Finding("A keyed or verifiable deed happens once", len(effects), (*by_key, *by_deed), note)


def _mailed_once(seen: Evidence) -> Finding:
    mails = [str(effect.body["to"]) for effect in seen.effects if effect.target == MAIL]
    return Finding("A mail is sent once at most", len(mails), _repeated(mails))


def _accounted_for(seen: Evidence) -> Finding:
    """What happened is recorded as done in the ledger, or an incident tells that it is unknown."""
    unknown = {
        str(incident.report.facts["effect_key"])
        for incident in seen.incidents.values()
        if isinstance(incident, Incident) and incident.report.kind is IncidentKind.OUTCOME_UNKNOWN
    }
    silent = tuple(
        f"{effect.operation} {effect.id} is {seen.claims.get(effect.key or '')} in the ledger, and no incident tells"
        for effect in seen.effects
        if effect.key not in unknown and seen.claims.get(effect.key or "", {}).get("state") != "done"
    )
    happened = {effect.key for effect in seen.effects}
    note = f"{len(unknown)} unknown, of which {len(unknown & happened)} happened"
    return Finding("What happened is recorded as done, or told as unknown", len(seen.effects), silent, note)


def _reported_deeds_happened(log: Log, seen: Evidence) -> Finding:
    happened = Counter((deed[1], deed[0]) for deed in map(_deed, seen.effects) if deed)
    operations = {effect.operation for effect in seen.effects}
    claimed: Counter[tuple[str, str]] = Counter()
    for run, end in log.ends.items():
        tag, told = _TAG.search(log.accepted[run].request.prompt), end.result
        if tag and told and "arrived broken" not in log.accepted[run].request.prompt:
            claimed.update((tag.group(), tool) for tool in told.tools_called if tool in operations)
    invented = tuple(
        f"{tag} reports {tool} {count} times, it happened {happened[tag, tool]} times"
        for (tag, tool), count in claimed.items()
        if happened[tag, tool] < count
    )
    return Finding("What a run reports as done has happened", claimed.total(), invented)


def _within_caps(seen: Evidence) -> Finding:
    over = tuple(
        f"{session}: {status.settled} settled and {status.held} held of {status.limit}"
        for session, books in seen.books.items()
        for status in (books.status, books.later)
        if status.settled + status.held > status.limit
    )
    tight = max((books.status.settled / books.status.limit for books in seen.books.values()), default=0)
    return Finding("A session spends and holds no more than its cap", len(seen.books), over, f"{tight:.0%} at most")


def _held(seen: Evidence) -> Finding:
    """Money is held for calls that were cut off until the hold ends; then it is spent at the bound, or given back."""
    wrong = [
        f"{session}: {books.status.held} held, but its holds come to {sum(hold.bound for hold in books.holds)}"
        for session, books in seen.books.items()
        if books.status.held != sum(hold.bound for hold in books.holds)
    ]
    wrong += [
        f"{session}: {books.later.held} held although every hold has ended"
        for session, books in seen.books.items()
        if books.later.held
    ]
    left = Counter(hold.state for books in seen.books.values() for hold in books.holds)
    note = ", ".join(f"{count} {state} to expire" for state, count in left.items()) or "nothing held"
    return Finding("Held money is for a hold that ends, and is none then", len(seen.books), tuple(wrong), note)


def _known(books: Books) -> int:
    """Settled for calls whose cost is known."""
    return books.later.settled - books.later.unknown


def _settled(log: Log, seen: Evidence) -> Finding:
    spent: Counter[str] = Counter()
    for run, end in log.ends.items():
        spent[log.accepted[run].request.session] += end.usage.cost_nanos
    short = tuple(
        f"{session}: runs report {spent[session]}, {_known(books)} is settled"
        for session, books in seen.books.items()
        if spent[session] > _known(books)
    )
    return Finding("What runs report as spent is settled", len(log.ends), short, f"{spent.total()} nano-dollars")


def _served(seen: Evidence) -> Finding:
    calls = [call for call in seen.calls if call.usage is not None]
    served = sum(map(_price, calls))
    settled = sum(_known(books) for books in seen.books.values())
    unknown = sum(books.later.unknown for books in seen.books.values())
    over = (f"{settled} is settled for calls that cost {served}",) if settled > served else ()
    lost = (f"calls cost {served}, settled and unknown are {settled + unknown}",) if served > settled + unknown else ()
    return Finding(
        "What is settled was served", len(calls), (*over, *lost), f"{settled} of {served}, {unknown} unknown"
    )


def _price(call: CallEntry) -> int:
    usage = call.usage
    if usage is None:
        return 0
    return GenaiPricing().cost(
        f"{call.target}:{call.operation}",
        input_tokens=usage.input_tokens,
        cached_tokens=usage.cached_tokens,
        output_tokens=usage.output_tokens,
        served_as=call.model_version,
    )


def _one_incident_an_episode(seen: Evidence) -> Finding:
    twice = _repeated(execution.id for execution in seen.of(INCIDENT_WORKFLOW))
    told = Counter(
        incident.report.subject
        for incident in seen.incidents.values()
        if isinstance(incident, Incident) and incident.report.kind is IncidentKind.BREAKER_OPEN
    )
    many = tuple(
        f"{name}: {count} incidents, but {seen.episodes.get(name, 0)} episodes"
        for name, count in told.items()
        if count > seen.episodes.get(name, 0)
    )
    episodes = sum(seen.episodes.values())
    return Finding("One incident for each breaker episode", episodes, (*twice, *many), f"{told.total()} told")


def _incidents_answer(seen: Evidence) -> Finding:
    mute = tuple(f"{id}: {answer}" for id, answer in seen.incidents.items() if not isinstance(answer, Incident))
    kinds = Counter(str(one.report.kind) for one in seen.incidents.values() if isinstance(one, Incident))
    note = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    return Finding("Every incident can be asked", len(seen.incidents), mute, note)


def _twins(log: Log, seen: Evidence) -> Finding:
    executions = Counter(execution.id for execution in seen.of(RUN_WORKFLOW))
    wrong = tuple(
        f"{first.run}: {executions[first.run]} executions, {fresh((first, second))} fresh, the other {second.run}"
        for first, second in log.twins
        if first.run != second.run or executions[first.run] != 1 or fresh((first, second)) != 1
    )
    again = tuple(f"{run} ran {executions[run]} times" for run in log.accepted if executions[run] != 1)
    return Finding("Two starts of one key give one run", len(log.twins), (*wrong, *again))
