"""Renders the runbook of an incident from a template for its kind. Needs no model, no network and no clock."""

from collections.abc import Iterable, Mapping
from itertools import groupby, islice

from jinja2 import BaseLoader, PackageLoader, StrictUndefined, TemplateError, Undefined, UndefinedError
from jinja2.sandbox import SandboxedEnvironment
from pydantic import JsonValue

from surefoot.contracts.incidents import Completeness, ComposeRequest, Evidence, IncidentReport, Runbook
from surefoot.incidents import escalation, markdown
from surefoot.incidents.commands import commands
from surefoot.incidents.completeness import THRESHOLD, Refusal, graded
from surefoot.incidents.facts import Facts, written
from surefoot.incidents.markdown import Written, plain
from surefoot.incidents.messages import Draft, drafts
from surefoot.incidents.severity import assess, names_model
from surefoot.incidents.surroundings import Surroundings

GENERAL = "general.md.j2"
LONGEST_NAME = 1000
"""Characters of a subject, tenant or id. Temporal takes no longer ids, so that only a forged one is cut."""
GUARDS = 20
"""States of guards that are shown."""
GAPS = 20


class RunbookWriter:
    """Writes runbooks whose every foreign word is escaped, whether the template asks for it or not.

    Their size is bounded: foreign texts are cut at ``markdown.LONGEST`` and names at ``LONGEST_NAME`` characters,
    lists after so many entries, each time with a note.
    """

    def __init__(
        self,
        templates: BaseLoader | None = None,
        *,
        surroundings: Surroundings | None = None,
        refusal: Refusal | None = None,
    ) -> None:
        self._surroundings = surroundings or Surroundings()
        self._refusal = refusal
        self.environment = SandboxedEnvironment(
            loader=templates or PackageLoader("surefoot.incidents"),
            undefined=StrictUndefined,
            finalize=_shown,
            trim_blocks=True,
            lstrip_blocks=True,
            autoescape=False,  # that is for HTML; ``finalize`` escapes for Markdown
        )
        self.environment.globals |= {
            "steps": _steps,
            "json": _json,
            "name": markdown.name,
            "link": markdown.link,
            "moment": markdown.moment,
        }

    def write(self, request: ComposeRequest, evidence: Evidence) -> Runbook:
        """Assess the report, render its runbook and grade it.

        A template that fails, or whose runbook is not complete enough, gives way to the general one, which says so.
        If that is not complete either, it is delivered all the same and says so as well.
        """
        request = request.model_copy(
            update={"incident_id": _cut(request.incident_id), "report": _bounded(request.report)}
        )
        try:
            runbook = self._rendered(f"{request.report.kind}.md.j2", request, evidence)
        except TemplateError as error:
            return self._general(request, evidence, f"failed, so this is the general one: {error}")
        if shortfall := _shortfall(runbook):
            return self._general(request, evidence, f"gave a runbook that {shortfall}, so this is the general one")
        return runbook

    def _general(self, request: ComposeRequest, evidence: Evidence, why: str) -> Runbook:
        noted = _noted(evidence, f"The template for {request.report.kind} {why}")
        runbook = self._rendered(GENERAL, request, noted)
        if shortfall := _shortfall(runbook):
            return self._rendered(GENERAL, request, _noted(noted, f"This runbook {shortfall}: read it with care"))
        return runbook

    def _rendered(self, template: str, request: ComposeRequest, evidence: Evidence) -> Runbook:
        report = request.report
        assessment = request.assessment or assess(report)
        text = self.environment.get_template(template).render(
            id=request.incident_id,
            report=report,
            facts=Facts(report),
            subject_is_model=names_model(report.subject),
            evidence=evidence,
            guards=_guards(evidence.guards),
            gaps=evidence.gaps[:GAPS],
            severity=Written(assessment.severity.name),
            why=Written(assessment.why),
            rule=Written(assessment.rule),
            escalation=escalation.steps(assessment.severity, request.escalation),
            links=request.links,
            commands=commands(request.incident_id, report),
            phases=_phases(drafts(request.incident_id, report, assessment, evidence)),
            needs=self._surroundings.needs(report),
            needed_by=self._surroundings.needed_by(report),
        )
        return Runbook(
            assessment=assessment,
            evidence=evidence,
            markdown=text,
            completeness=graded(text, request, evidence, self._refusal),
        )


def _shortfall(runbook: Runbook) -> str:
    """What is to be said of a runbook that is not complete enough; nothing of one that is."""
    grade = runbook.completeness or Completeness(score=0)
    if grade.score >= THRESHOLD:
        return ""
    return f"scores {grade.score:.2f} where {THRESHOLD:.2f} is asked for ({'; '.join(grade.problems[:5])})"


def _noted(evidence: Evidence, gap: str) -> Evidence:
    return evidence.model_copy(update={"gaps": (plain(gap, 1000), *evidence.gaps)})


def _cut(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]} …"


def _bounded(report: IncidentReport) -> IncidentReport:
    names = {"subject": report.subject, "tenant": report.tenant, "run_id": report.run_id, "episode": report.episode}
    return report.model_copy(update={key: _cut(value) for key, value in names.items()})


def _guards(guards: Mapping[str, JsonValue]) -> tuple[tuple[str, Written], ...]:
    shown = tuple((guard, _json(state)) for guard, state in islice(guards.items(), GUARDS))
    left = len(guards) - GUARDS
    return (*shown, ("and", Written(f"{left} more"))) if left > 0 else shown


def _phases(messages: Iterable[Draft]) -> list[tuple[Written, list[tuple[Written, Written]]]]:
    """The messages by phase, each with its audience, safe in a fence."""
    return [
        (Written(phase.value), [(Written(one.audience.value), Written(one.text)) for one in group])
        for phase, group in groupby(messages, lambda one: one.phase)
    ]


def _shown(value: object) -> str:
    """What an expression in a template becomes: foreign text a code span, nothing an error."""
    if isinstance(value, Undefined):
        return str(value)  # raises: it is strict
    if value is None:
        raise UndefinedError("an expression has no value")
    if isinstance(value, Written):
        return str(value)
    return markdown.code(value) if isinstance(value, str) else str(value)


def _steps(commands: Iterable[tuple[str, Written]]) -> Written:
    """Numbered commands that can be pasted; the titles are the template's own words."""
    blocks = (
        f"{number}. {title}:\n\n   ```sh\n   {command}\n   ```" for number, (title, command) in enumerate(commands, 1)
    )
    return Written("\n\n".join(blocks))


def _json(value: JsonValue) -> Written:
    return markdown.code(written(value))
