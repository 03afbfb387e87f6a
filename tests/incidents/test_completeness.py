"""A runbook that says nothing does not pass, however long it is; one that helps does."""

import re

import pytest
from jinja2 import DictLoader, PackageLoader

from surefoot.contracts.incidents import ComposeRequest, Evidence, IncidentKind, IncidentReport, Runbook
from surefoot.idempotency import incident_id
from surefoot.incidents.completeness import SECTIONS, THRESHOLD, graded, shape
from surefoot.incidents.runbook import GENERAL, RunbookWriter
from tests.incidents.reports import EVIDENCE, report

K = IncidentKind
TOOL = report(K.BREAKER_OPEN)
REQUEST = ComposeRequest(incident_id=incident_id(TOOL), report=TOOL)
HEADINGS = [section.name for section in SECTIONS[1:]]


def write(report: IncidentReport, evidence: Evidence = EVIDENCE, templates: dict[str, str] | None = None) -> Runbook:
    """With these templates in the place of the shipped ones."""
    shipped = PackageLoader("surefoot.incidents")
    general = shipped.get_source(RunbookWriter().environment, GENERAL)[0]
    writer = RunbookWriter(DictLoader({GENERAL: general} | templates) if templates else None)
    return writer.write(ComposeRequest(incident_id=incident_id(report), report=report), evidence)


def score(markdown: str) -> float:
    return graded(markdown, REQUEST, EVIDENCE).score


def problems(markdown: str) -> str:
    return "\n".join(graded(markdown, REQUEST, EVIDENCE).problems)


def filled(*texts: str) -> str:
    """Every section that is asked for, with these texts in turn."""
    sections = (f"## {name}\n\n{texts[at % len(texts)]}" for at, name in enumerate(HEADINGS))
    return "\n\n".join((f"# SEV2: incident 1, {TOOL.subject}", *sections))


LOREM = "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore et dolore."


@pytest.mark.parametrize(
    "filler",
    [
        filled(LOREM * 10),
        filled("This section describes this topic. It is important to follow the process and to inform the team."),
        filled("Follow the usual steps.", "Contact the team.", "Monitor the system closely and take action if needed."),
        filled("blah " * 200),
        filled("TBD"),
        filled("**Check:** check it.\n\n**Stop** if it fails.\n\n1. Do it\n2. Do it again\n3. Tell them in 5 minutes"),
        filled(*(f"Section {n} has words that are all its own, but says {n} times nothing." for n in range(20))),
        filled(f"Something about `{TOOL.subject}` that takes some words to say, and has a number, 5 minutes."),
        filled(*(f"In part {number} we speak of `{TOOL.subject}`, whose trouble number {number} lasts {number} minutes."
                 for number in range(20))),
        "",
        "# SEV2: everything is fine, 1 time",
        "\n".join(f"## {name}" for name in HEADINGS),
    ],
)  # fmt: skip
def test_filler_does_not_pass(filler: str) -> None:
    assert score(filler) < THRESHOLD / 2


@pytest.mark.parametrize("kind", IncidentKind)
def test_the_runbook_of_each_kind_passes_without_a_problem(kind: IncidentKind) -> None:
    runbook = write(report(kind))
    assert runbook.completeness
    assert (runbook.completeness.score, runbook.completeness.problems) == (1, ())
    assert "general one" not in runbook.markdown


@pytest.mark.parametrize("kind", IncidentKind)
def test_a_kind_whose_facts_and_history_are_gone_still_passes(kind: IncidentKind) -> None:
    runbook = write(report(kind, facts={}), Evidence(gaps=("Temporal has no history of it any more",)))
    assert runbook.completeness
    assert runbook.completeness.score >= THRESHOLD


@pytest.mark.parametrize("kind", IncidentKind)
def test_the_general_template_passes_for_each_kind(kind: IncidentKind) -> None:
    runbook = write(report(kind), templates={f"{kind}.md.j2": "{{ nothing_of_the_kind }}"})
    assert runbook.completeness
    assert runbook.completeness.score >= THRESHOLD
    assert f"The template for {kind} failed" in runbook.markdown


WHOLE = write(TOOL).markdown


@pytest.mark.parametrize("name", HEADINGS)
def test_a_section_that_is_missing_costs_its_weight_and_is_named(name: str) -> None:
    lacking = re.sub(rf"## {name}\n.*?(?=\n## |\Z)", "", WHOLE, flags=re.S)
    weight = next(section.weight for section in SECTIONS if section.name == name)
    assert score(lacking) == pytest.approx(1 - weight / 100)
    assert f"{name}: is missing" in problems(lacking)


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        (r"\*\*Check:\*\*[^\n]*", "", "Mitigation: has no check"),
        (r"\*\*Check:\*\*[^\n]*", "**Check:** it.", "Mitigation: has no check"),
        (r"\*\*Stop\*\*[^\n]*", "", "Mitigation: has no stop condition"),
        (r"after 60 minutes", "after a while", "Escalation: has no minutes"),
        (r"Mend the target", "Mend {{ target }}", "Mitigation: '{{' is not filled in"),
        (r"Mend the target", "Mend <your target>", "Mitigation: '<your target>' is not filled in"),
        (r"Mend the target", "TODO", "Mitigation: 'TODO' is not filled in"),
        (r"Mend the target", "Mend XXX", "Mitigation: 'XXX' is not filled in"),
        (r"Mend the target", "Mend None", "Mitigation: 'None' stands for a value"),
        (r"Mend the target", "Mend `undefined`", "Mitigation: 'undefined' stands for a value"),
        (r"Mend the target", "Spend $nan", "Mitigation: 'nan' stands for a value"),
        (r"starter.py doctor", "starter.py 'doctor", "does not parse: No closing quotation"),
        (r"starter.py doctor", "starter.py doctor\n   reboot", "it is more than one line"),
        (r"\./starter.py doctor", "reboot now", "it is no command of ./starter.py"),
        (r"starter.py doctor", "starter.py doctor; reboot", "';' is not quoted"),
        (r"starter.py doctor", "starter.py show <run>", "a word of it is not filled in"),
        (r"Mend the target, or take the load off it\.", "No run calls the tool while its circuit is open now. " * 2,
         "Mitigation: repeats"),
        (r"Mend the target", "mend the target " * 40, "Mitigation: says the same words over and over"),
        (r"(?m)^\d\. ", "- ", "The first five minutes: has no numbered steps"),
        (r"Executives:\n\n```text\n[^`]*```", "", "Messages: has not a message for each audience and phase"),
        (r"create_order", "it", "Impact: names no fact of this incident"),
    ],
)  # fmt: skip
def test_a_flaw_costs_points_and_is_named(before: str, after: str, problem: str) -> None:
    flawed = re.sub(before, lambda match: after, WHOLE)
    assert flawed != WHOLE
    assert score(flawed) < score(WHOLE)
    assert problem in problems(flawed)


def test_what_comes_from_outside_is_no_flaw() -> None:
    foreign = "got None for {{ user }} at <input>, TODO lorem ipsum"
    hostile = report(K.TOOL_FAILED, summary=foreign, facts={"error": foreign, "attempts": 4, "arguments": "None"})
    runbook = write(hostile, Evidence(errors=(foreign,), timeline=EVIDENCE.timeline))
    assert runbook.completeness
    assert runbook.completeness.problems == ()


@pytest.mark.parametrize(
    ("command", "refused"),
    [
        ("./starter.py runs --status failed", False),
        ("./starter.py retry 'run:acme:it'\"'\"'s; $(reboot)'", False),
        ("./starter.py status $'run\\U0000000a'", False),
        ("./starter.py reset k --by \"${USER:-operator}\" --reason '<why>'", False),
        ("./starter.py", True),
        ("./starter.py status k | sh", True),
        ("./starter.py status k && reboot", True),
        ("./starter.py status k > /etc/passwd", True),
    ],
)
def test_a_command_is_one_call_of_the_command_line(command: str, refused: bool) -> None:
    assert (shape(command) is not None) == refused


def test_a_template_that_gives_too_little_gives_way_to_the_general_one_which_says_so() -> None:
    poor = "# {{ severity }}: 5 failures of {{ report.subject }}\n\nCall somebody."
    runbook = write(TOOL, templates={"breaker_open.md.j2": poor})
    assert "The template for breaker_open gave a runbook that scores 0.08 where 0.80 is asked for" in runbook.markdown
    assert "so this is the general one" in runbook.markdown
    assert runbook.completeness
    assert runbook.completeness.score >= THRESHOLD


def test_a_runbook_is_delivered_even_if_the_general_template_gives_too_little_and_says_so() -> None:
    poor = "# {{ severity }}: {{ report.subject }}\n\n{% for gap in gaps %}- {{ gap }}\n{% endfor %}"
    runbook = write(TOOL, templates={GENERAL: poor, "breaker_open.md.j2": poor})
    assert "This runbook scores 0.0" in runbook.markdown
    assert "read it with care" in runbook.markdown
    assert runbook.completeness
    assert runbook.completeness.score < THRESHOLD
