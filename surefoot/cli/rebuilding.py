"""A session's spending, added up from the histories of its runs and held beside Redis's books."""

from collections.abc import Iterable
from datetime import UTC, datetime

from surefoot.cli.books import Kept, acts_on, limits_of, refuse_unlimited
from surefoot.cli.calling import call
from surefoot.cli.exits import ExitCode
from surefoot.cli.office import opened
from surefoot.cli.output import Answer, remark, words
from surefoot.cli.plain import count, fields, when
from surefoot.client import RunSpending
from surefoot.client.spending import Since
from surefoot.contracts.base import Message
from surefoot.contracts.budgets import ScopeKind, ScopeStatus, dollars
from surefoot.settings import Settings

UNKNOWN = (
    "unknown: charged at a call's bound, since no worker could tell what became of the call; such a call is in no "
    "history, so it is taken off before comparing"
)
UNDER_WAY = "calls are under way: look again when nothing is held"
MORE = (
    "Redis has more than the histories: runs that Temporal has forgotten are in none, nor is what a call cost whose "
    "worker died before it could say so"
)
LESS = "Redis has less than the histories: it may have lost its books, or not have been told all of them yet"


class Comparison(Message):
    """Both sides, in nano-dollars; ``difference`` is what Redis has more than the histories, without the unknown."""

    session: str
    tenant: str
    window: str
    since_reset: datetime | None
    """The last time that an operator began the window anew; what was answered before is not counted."""
    history: int
    settled: int
    unknown: int
    held: int
    difference: int
    runs: tuple[RunSpending, ...]


async def rebuild(settings: Settings, session: str, tenant: str, profile: str) -> Answer:
    limits = await limits_of(settings, profile)
    refuse_unlimited({ScopeKind.SESSION}, limits, profile)
    client = await call(settings)
    async with opened(settings) as office:
        books = await office.budget(tenant, ScopeKind.SESSION, session, limits[ScopeKind.SESSION])
        reset = _last_reset(await acts_on(office, tenant, ScopeKind.SESSION, session))
    since = Since(held=_begin(books), answered=reset)
    runs = await client.spending(session, tenant=tenant, since=since)
    return _answer(_compared(session, tenant, books, reset, runs))


def _begin(books: ScopeStatus) -> datetime | None:
    """The start of the window, by which holds are booked; None for ever."""
    return datetime.fromisoformat(books.window).replace(tzinfo=UTC) if books.resets_at else None


def _last_reset(acts: Iterable[Kept]) -> datetime | None:
    return next((one.at for one in acts if one.act == "reset"), None)


def _compared(
    session: str, tenant: str, books: ScopeStatus, reset: datetime | None, runs: tuple[RunSpending, ...]
) -> Comparison:
    history = sum(run.cost for run in runs)
    return Comparison(
        session=session,
        tenant=tenant,
        window=books.window,
        since_reset=reset,
        history=history,
        settled=books.settled,
        unknown=books.unknown,
        held=books.held,
        difference=books.settled - books.unknown - history,
        runs=runs,
    )


def _answer(found: Comparison) -> Answer:
    answers = count(sum(run.answers for run in found.runs), "answer")
    said = [
        f"Histories   ${dollars(found.history)} for {answers} in {count(len(found.runs), 'execution')} of runs",
        f"Redis       ${dollars(found.settled)} settled, of which ${dollars(found.unknown)} unknown",
        f"Difference  ${dollars(found.difference)}" + ("" if found.difference else ", they agree"),
    ]
    document = fields(found) | {"agree": not found.difference}
    code = ExitCode.FAILED if found.difference else ExitCode.DONE
    return Answer(document, [words(line) for line in said], [remark(why) for why in _explained(found)], code)


def _explained(found: Comparison) -> Iterable[str]:
    if found.unknown:
        yield UNKNOWN
    if found.held:
        yield UNDER_WAY
    if found.since_reset:
        yield f"counted from {when(found.since_reset)}, when an operator began the window anew"
    if found.difference:
        yield MORE if found.difference > 0 else LESS
