"""What is said of an incident to others: for each audience and phase a short text that can be pasted."""

from dataclasses import dataclass
from enum import StrEnum

from surefoot.contracts.incidents import Assessment, Evidence, IncidentKind, IncidentReport, Severity
from surefoot.incidents.escalation import counted
from surefoot.incidents.markdown import clean, moment, plain, shell
from surefoot.incidents.severity import names_model


class Phase(StrEnum):
    FIRST = "First notice"
    UPDATE = "Update"
    RESOLVED = "Resolved"


class Audience(StrEnum):
    CHAT = "Chat"
    STATUS_PAGE = "Status page"
    MAIL = "Mail"
    EXECUTIVES = "Executives"


@dataclass(frozen=True)
class Draft:
    """One message. Its text is safe inside a fence: it has no backtick, and calls nobody in a chat."""

    phase: Phase
    audience: Audience
    text: str


@dataclass(frozen=True)
class _Words:
    """What is said of a kind; ``{it}`` is the subject. The status page names nothing of the inside."""

    what: str
    effect: str
    public: str
    business: str
    again: str


_TOOL_OPEN = _Words(
    "calls to {it} are refused after too many of them failed",
    "Runs answer without it, and say so.",
    "Some requests cannot be completed at the moment. We tell those who ask when to try again.",
    "Agents work, but cannot use {it}; what they would have done with it is not done.",
    "{it} works again",
)
_MODEL_OPEN = _Words(
    "the model {it} is not called after too many calls failed",
    "Runs use their fallback model, or wait.",
    "Answers may be slower than usual.",
    "Agents answer with another model or later; nothing that was done is lost.",
    "the model {it} answers again",
)
_KINDS: dict[IncidentKind, _Words] = {
    IncidentKind.BUDGET_SOFT: _Words(
        "spending of {it} has crossed its soft line",
        "Its runs use cheaper models.",
        "All requests are answered. Some answers may be shorter than usual.",
        "Spending of {it} is near its cap; cheaper models are used, and no work is refused.",
        "{it} has room under its soft line",
    ),
    IncidentKind.BUDGET_HARD: _Words(
        "spending of {it} has reached its cap",
        "Its runs are refused before they spend more.",
        "Some requests are not answered at the moment.",
        "Spending of {it} stopped at its cap as agreed; more work there needs more money or a new window.",
        "{it} has room under its cap",
    ),
    IncidentKind.TOOL_FAILED: _Words(
        "a call of {it} failed after all its attempts",
        "The run answered without it; other runs still call {it}.",
        "One request could not be completed in full. We are looking into it.",
        "One piece of work with {it} was not done; it can be asked for again.",
        "{it} does what it is asked again",
    ),
    IncidentKind.OUTCOME_UNKNOWN: _Words(
        "it is not known whether {it} happened",
        "It is not repeated until somebody has looked at the target.",
        "We are checking whether one request was carried out. Please do not send it again.",
        "One deed of {it} is in doubt; it is being looked up, so that it happens once.",
        "it is known what became of {it}",
    ),
    IncidentKind.RUN_FAILED: _Words(
        "the run {it} ended without an answer",
        "What it had done stays done.",
        "One request was not answered. We are looking into it.",
        "One request has no answer yet; it can be run again without repeating what was done.",
        "the run {it} is dealt with",
    ),
    IncidentKind.MODEL_OUTAGE: _Words(
        "the model {it} gives no answer",
        "Runs use their fallback model, or wait.",
        "Answers may be slower than usual, and some may be missing.",
        "Agents answer with another model or wait; nothing that was done is lost.",
        "the model {it} answers again",
    ),
    IncidentKind.STORE_WIPED: _Words(
        "the store {it} has lost its records",
        "Effects of earlier runs could be repeated if those runs are started again.",
        "Requests are answered. We are checking that nothing was carried out twice.",
        "Records of spending and of side effects are being checked; caps count anew until then.",
        "the records of {it} are checked",
    ),
    IncidentKind.STORE_OUTAGE: _Words(
        "the store {it} does not answer",
        "Runs wait for it; no run spends money or acts without it.",
        "Requests take longer than usual. They are kept and will be answered.",
        "Agents wait; nothing is spent or done blindly, and work goes on by itself once the store is back.",
        "the store {it} answers again",
    ),
    IncidentKind.APPROVAL_EXPIRED: _Words(
        "nobody decided in time about a call of {it}",
        "The call was not made, and the run went on without it.",
        "One request was closed because a decision did not come in time.",
        "One piece of work waited for a decision until its time ran out; it was not done.",
        "the request about {it} is dealt with",
    ),
    IncidentKind.PRICE_DRIFT: _Words(
        "the model {it} costs more than its listed price",
        "It is booked as billed, and reserved at the new price from now on.",
        "All requests are answered as usual.",
        "{it} costs more than planned; caps hold, but buy less work than before.",
        "the price of {it} is known and planned for",
    ),
}
_EVERY = {Severity.SEV1: 30, Severity.SEV2: 60, Severity.SEV3: 240, Severity.SEV4: 480, Severity.SEV5: 1440}
"""Minutes between two messages."""
_CALLS = ("@channel", "@here", "@everyone")
_PARTS = str.maketrans({"`": "'", "<": "(", ">": ")"})


def quoted(text: str, limit: int = 200) -> str:
    """Foreign text for a message: one line, redacted, without a sign that a chat would act on."""
    line = clean(text, limit).translate(_PARTS)
    for call in _CALLS:
        line = line.replace(call, call.replace("@", "(at) "))
    return line


def drafts(id: str, report: IncidentReport, assessment: Assessment, evidence: Evidence) -> tuple[Draft, ...]:
    """Twelve messages: one for each audience in each phase."""
    return tuple(
        Draft(phase, audience, write(said)[audience])
        for said in (_Said(id, report, assessment, evidence),)
        for phase, write in ((Phase.FIRST, _first), (Phase.UPDATE, _update), (Phase.RESOLVED, _resolved))
        for audience in Audience
    )


class _Said:
    """The parts of which messages are made."""

    def __init__(self, id: str, report: IncidentReport, assessment: Assessment, evidence: Evidence) -> None:
        words = _words(report)
        it = quoted(report.subject.removeprefix("run:") if report.kind in _SCOPES else report.subject)
        self.severity = assessment.severity.name
        self.what = words.what.replace("{it}", it)
        self.effect = words.effect.replace("{it}", it)
        self.public = words.public
        self.business = words.business.replace("{it}", it)
        self.again = words.again.replace("{it}", it)
        self.why = assessment.why
        self.summary = quoted(report.summary)
        self.since = moment(report.at)
        self.next = f"within {counted(_EVERY[assessment.severity], 'minute')}"
        self.show = f"./starter.py incidents show {shell(plain(id, 1000).translate(_PARTS))}"
        newest = evidence.errors[-1] if evidence.errors else "no error in what could be read"
        self.known = f"newest error: {quoted(newest)}"
        self.attempts = f"highest attempt: {evidence.attempts}"


_SCOPES = (IncidentKind.BUDGET_SOFT, IncidentKind.BUDGET_HARD)


def _words(report: IncidentReport) -> _Words:
    if report.kind is IncidentKind.BREAKER_OPEN:
        return _MODEL_OPEN if names_model(report.subject) else _TOOL_OPEN
    return _KINDS[report.kind]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _first(said: _Said) -> dict[Audience, str]:
    return {
        Audience.CHAT: f"[{said.severity}] {_capital(said.what)}, since {said.since}. {said.effect}\n"
        f"It is being looked at; next update {said.next}. Runbook:\n{said.show}",
        Audience.STATUS_PAGE: f"Investigating, since {said.since}: {said.public} Next update {said.next}.",
        Audience.MAIL: f"Subject: [{said.severity}] {_capital(said.what)}\n\n"
        f"{said.summary}\n{said.effect}\nIt began {said.since} and is rated {said.severity} because {said.why}.\n"
        f"Next update {said.next}. The runbook is shown by\n{said.show}",
        Audience.EXECUTIVES: f"{said.severity} since {said.since}. {said.business} Next update {said.next}.",
    }


def _update(said: _Said) -> dict[Audience, str]:
    return {
        Audience.CHAT: f"[{said.severity}] Update: {said.what}, since {said.since}. "
        f"Known so far: {said.known}, {said.attempts}.\nWhat was done since is shown by\n{said.show}",
        Audience.STATUS_PAGE: f"Identified: {said.public} We know what is affected since {said.since} and are "
        f"working on it. Next update {said.next}.",
        Audience.MAIL: f"Subject: [{said.severity}] Update: {said.what}\n\n"
        f"It goes on since {said.since}. {said.effect}\nKnown so far: {said.known}, {said.attempts}.\n"
        f"Next update {said.next}. What was done is shown by\n{said.show}",
        Audience.EXECUTIVES: f"{said.severity} goes on since {said.since}. {said.business} "
        f"The cause is being worked on. Next update {said.next}.",
    }


def _resolved(said: _Said) -> dict[Audience, str]:
    return {
        Audience.CHAT: f"[{said.severity}] Resolved: {said.again}. It began {said.since}.\n"
        f"How long it took is shown by\n{said.show}",
        Audience.STATUS_PAGE: f"Resolved: what was affected since {said.since} works as usual. "
        "Thank you for your patience.",
        Audience.MAIL: f"Subject: [{said.severity}] Resolved: {said.again}\n\n"
        f"What began {said.since} is over: {said.again}. What is learnt from it follows.\n"
        f"Times, occurrences and what was done are shown by\n{said.show}",
        Audience.EXECUTIVES: f"{said.severity} of {said.since} is over: {said.again}. "
        "What it cost and what is learnt from it follows.",
    }
