"""Renders the runbook of an incident from a template for its kind. Needs no model, no network and no clock."""

from collections.abc import Iterable
from dataclasses import dataclass

from jinja2 import BaseLoader, PackageLoader, StrictUndefined, TemplateError, Undefined, UndefinedError
from jinja2.sandbox import SandboxedEnvironment
from pydantic import JsonValue

from surefoot.contracts.incidents import ComposeRequest, Evidence, Runbook, Severity
from surefoot.idempotency import canonical
from surefoot.incidents import markdown
from surefoot.incidents.commands import commands
from surefoot.incidents.facts import Facts
from surefoot.incidents.markdown import Written
from surefoot.incidents.severity import assess, names_model

GENERAL = "general.md.j2"


@dataclass(frozen=True)
class Escalation:
    """How long the first responder has, and what follows then."""

    minutes: int
    then: Written


ESCALATIONS: dict[Severity, Escalation] = {
    Severity.SEV1: Escalation(5, Written("call the on-call lead, and tell everyone who runs agents")),
    Severity.SEV2: Escalation(15, Written("call the on-call lead")),
    Severity.SEV3: Escalation(60, Written("ask the team that owns what failed")),
    Severity.SEV4: Escalation(480, Written("ask the team that owns what failed, in its working hours")),
    Severity.SEV5: Escalation(1440, Written("look at it on the next working day; nobody is called")),
}


class RunbookWriter:
    """Writes runbooks whose every foreign word is escaped, whether the template asks for it or not."""

    def __init__(self, templates: BaseLoader | None = None) -> None:
        self.environment = SandboxedEnvironment(
            loader=templates or PackageLoader("surefoot.incidents"),
            undefined=StrictUndefined,
            finalize=_shown,
            trim_blocks=True,
            lstrip_blocks=True,
            autoescape=False,  # that is for HTML; ``finalize`` escapes for Markdown
        )
        self.environment.globals |= {"steps": _steps, "json": _json, "name": markdown.name, "moment": markdown.moment}

    def write(self, request: ComposeRequest, evidence: Evidence) -> Runbook:
        """Assess the report and render its runbook; a template that fails gives way to the general one."""
        try:
            return self._rendered(f"{request.report.kind}.md.j2", request, evidence)
        except TemplateError as error:
            gap = f"The template for {request.report.kind} failed, so this is the general one: {error}"
            return self._rendered(GENERAL, request, evidence.model_copy(update={"gaps": (*evidence.gaps, gap)}))

    def _rendered(self, template: str, request: ComposeRequest, evidence: Evidence) -> Runbook:
        assessment = assess(request.report)
        text = self.environment.get_template(template).render(
            id=request.incident_id,
            report=request.report,
            facts=Facts(request.report),
            subject_is_model=names_model(request.report.subject),
            evidence=evidence,
            severity=Written(assessment.severity.name),
            why=Written(assessment.why),
            rule=Written(assessment.rule),
            escalation=ESCALATIONS[assessment.severity],
            commands=commands(request.incident_id, request.report),
        )
        return Runbook(assessment=assessment, evidence=evidence, markdown=text)


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
    return markdown.code(canonical(value))
