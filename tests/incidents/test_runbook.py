"""A runbook says what happened and what to do, and nothing from outside can change what it says."""

import re
import shlex

import pytest
from jinja2 import DictLoader, PackageLoader, TemplateError
from markdown_it import MarkdownIt
from markdown_it.token import Token

from surefoot.cli.app import whole
from surefoot.cli.parsing import refusal
from surefoot.contracts.base import JsonObject
from surefoot.contracts.incidents import ComposeRequest, Evidence, IncidentKind, IncidentReport, TimelineEntry
from surefoot.contracts.oncall import Escalation
from surefoot.idempotency import incident_id
from surefoot.incidents.completeness import shape
from surefoot.incidents.runbook import GENERAL, RunbookWriter
from surefoot.incidents.surroundings import Surroundings
from tests.incidents.reports import AT, EVIDENCE, report

SECTIONS = [
    "Severity",
    "Impact",
    "Is it real",
    "The first five minutes",
    "Diagnosis",
    "Mitigation",
    "Escalation",
    "Messages",
    "Dependencies",
    "Health checks",
    "Timeline",
    "After the incident",
]
HOLES = re.compile(r"\bNone\b|\bundefined\b|\bnan\b|\{\{|\}\}|\{%|%\}|<[A-Za-z_ ]+>|TODO|TBD|not recorded", re.I)
FORGED = {"link_open", "image", "html_block", "html_inline", "table_open", "em_open"}
HOSTILE = (
    "x` \n# Forged heading\n\n```sh\nrm -rf /\n```\n[click](https://evil.example) <script>alert(1)</script> "
    "https://evil.example {{ 7 * 7 }} {% raw %} | a | \x00\x1b[31m *b* ![i](https://evil.example/i.png) \u202e"
)

KEY = "ab12" * 16


def write(report: IncidentReport, evidence: Evidence = EVIDENCE) -> str:
    return RunbookWriter().write(ComposeRequest(incident_id=incident_id(report), report=report), evidence).markdown


def parsed(markdown: str) -> list[Token]:
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(markdown)
    return [part for token in tokens for part in (token, *(token.children or ()))]


def headings(markdown: str) -> list[str]:
    tokens = MarkdownIt("commonmark").parse(markdown)
    return [
        tokens[at + 1].content for at, token in enumerate(tokens) if token.tag in ("h1", "h2") and token.nesting > 0
    ]


def commands(markdown: str) -> list[str]:
    return [token.content.rstrip("\n") for token in parsed(markdown) if token.type == "fence" and token.info == "sh"]


def exists(command: str) -> bool:
    """Whether it is one line that the command line takes as it is."""
    return shape(command) is None and refusal(command) is None


@pytest.mark.parametrize("kind", IncidentKind)
def test_each_kind_has_a_complete_runbook(kind: IncidentKind) -> None:
    text = write(report(kind))
    title, *sections = headings(text)
    assert re.match(r"SEV[1-5]: .*\d", title), "the title holds the severity and a number"
    assert sections == SECTIONS
    assert "**Check:**" in text
    assert "**Stop**" in text
    assert re.search(r"\d+ minutes", text)
    assert HOLES.findall(text) == []


@pytest.mark.parametrize("kind", IncidentKind)
def test_a_report_without_facts_or_evidence_still_gives_a_whole_runbook(kind: IncidentKind) -> None:
    text = write(report(kind, facts={}), Evidence(gaps=("Temporal has no history of it any more",)))
    assert headings(text)[1:] == SECTIONS
    assert "Temporal has no history of it any more" in text
    assert [hole for hole in HOLES.findall(text) if hole != "not recorded"] == []


@pytest.mark.parametrize("kind", IncidentKind)
def test_each_command_is_one_that_exists_and_can_be_pasted(kind: IncidentKind) -> None:
    found = commands(write(report(kind, run_id="run:acme:it's $(mine)")))
    assert len(found) >= 4
    for command in found:
        assert exists(command)
        assert all(word == "run:acme:it's $(mine)" for word in shlex.split(command) if word.startswith("run:"))


WHO = '--by "${USER:-operator}" --reason '


@pytest.mark.parametrize(
    ("kind", "offered"),
    [
        (
            IncidentKind.BREAKER_OPEN,
            (f"breakers force-open create_order {WHO}", f"breakers reset create_order {WHO}"),
        ),
        (
            IncidentKind.BUDGET_HARD,
            (
                "budget rebuild --session s1 --tenant acme",
                f"budget top-up 0.25 --session s1 --tenant acme {WHO}",
                "retry run:acme:k1",
            ),
        ),
        (IncidentKind.BUDGET_SOFT, (f"budget top-up 0.25 --session s1 --tenant acme {WHO}",)),
        (
            IncidentKind.OUTCOME_UNKNOWN,
            (
                f"ledger show {KEY}",
                f"ledger settle {KEY} --done ",
                f"ledger settle {KEY} --not-done {WHO}",
            ),
        ),
        (IncidentKind.RUN_FAILED, ("retry run:acme:k1", f"reset run:acme:k1 --to 3 {WHO}")),
        (IncidentKind.TOOL_FAILED, ("retry run:acme:k1", f"breakers force-open create_order {WHO}")),
        (
            IncidentKind.MODEL_OUTAGE,
            (f"breakers force-open gemini:gemini-2.5-pro {WHO}", f"breakers reset gemini:gemini-2.5-pro {WHO}"),
        ),
    ],
)
def test_a_runbook_offers_the_commands_that_mend_it(kind: IncidentKind, offered: tuple[str, ...]) -> None:
    found = commands(write(report(kind)))
    assert [wanted for wanted in offered if not any(one.startswith(f"./starter.py {wanted}") for one in found)] == []


def test_what_cannot_be_done_is_not_offered() -> None:
    budget = write(report(IncidentKind.BUDGET_HARD, subject="run:run:acme:k1"))
    user = write(report(IncidentKind.BUDGET_HARD, subject="user:ada"))
    effect = write(report(IncidentKind.OUTCOME_UNKNOWN, facts={"effect_key": "--help $(reboot)"}))
    early = write(report(IncidentKind.RUN_FAILED, facts={"error": "BudgetExhausted", "turns": 0}))
    assert "starter.py reset" not in early
    assert "budget top-up" not in budget
    assert "rebuild" not in budget + user
    assert "top-up 0.25 --user ada" in user
    assert "starter.py ledger" not in effect


@pytest.mark.parametrize("kind", IncidentKind)
def test_foreign_text_forges_no_heading_link_command_or_html(kind: IncidentKind) -> None:
    facts: JsonObject = dict.fromkeys(("reason", "error", "arguments", "request", "effect", HOSTILE), HOSTILE)
    hostile = report(kind, subject=HOSTILE, facts=facts, run_id=HOSTILE, summary=HOSTILE, tenant=HOSTILE)
    evidence = Evidence(
        timeline=(TimelineEntry(at=AT, what=HOSTILE),),
        run_status=HOSTILE,
        errors=(HOSTILE,),
        guards={HOSTILE: HOSTILE},
        gaps=(HOSTILE,),
    )
    text = write(hostile, evidence)
    assert headings(text)[1:] == SECTIONS
    assert not {token.type for token in parsed(text)} & {
        "link_open",
        "image",
        "html_block",
        "html_inline",
        "table_open",
    }
    assert all(exists(command) for command in commands(text))
    assert all(character.isprintable() or character == "\n" for character in text)
    assert "49" not in text.replace("2026", "")


def test_secrets_in_facts_and_evidence_are_not_shown() -> None:
    facts: JsonObject = {"error": "401 for Bearer abc.def.ghi", "arguments": {"to": "bob@example.com"}, "attempts": 4}
    evidence = Evidence(errors=("key sk-abcdefghijklmnop",), guards={"claim": {"content": "4111 1111 1111 1111"}})
    text = write(report(IncidentKind.TOOL_FAILED, facts=facts, summary="bob@example.com waits"), evidence)
    assert not [secret for secret in ("abc.def", "bob@", "sk-abc", "1111") if secret in text]


def test_an_effect_key_is_shown_whole_so_that_it_can_be_looked_up() -> None:
    assert "ab12" * 16 in write(report(IncidentKind.OUTCOME_UNKNOWN))


def test_megabytes_of_error_text_give_a_short_runbook() -> None:
    facts: JsonObject = {"error": "x" * 5_000_000, "attempts": 4}
    assert len(write(report(IncidentKind.TOOL_FAILED, facts=facts))) < 12_000


def test_the_numbers_of_a_budget_are_dollars_and_per_cent() -> None:
    text = write(report(IncidentKind.BUDGET_SOFT))
    assert headings(text)[0] == "SEV5: `session:s1` has spent $0.41 of $0.50 (82 %)"


@pytest.mark.parametrize(
    ("subject", "command"),
    [
        ("session:my chat", "./starter.py budget --session 'my chat' --tenant acme --profile operations"),
        ("user:ada", "./starter.py budget --user ada --tenant acme --profile operations"),
        ("tenant:acme", "./starter.py budget --tenant acme --profile operations"),
        ("run:run:acme:k1", "./starter.py status run:acme:k1"),
    ],
)
def test_the_books_of_a_budgets_scope_are_one_command_away(subject: str, command: str) -> None:
    facts: JsonObject = {"settled": 1, "limit": 2, "profile": "operations"}
    assert commands(write(report(IncidentKind.BUDGET_HARD, subject=subject, facts=facts)))[1] == command


def test_a_model_and_a_tool_have_different_impacts() -> None:
    tool = write(report(IncidentKind.BREAKER_OPEN))
    model = write(report(IncidentKind.BREAKER_OPEN, subject="gemini:gemini-2.5-pro"))
    assert "No run calls `create_order`" in tool
    assert "fallback" not in tool
    assert "fallback" in model


@pytest.mark.parametrize("broken", ["{{ nothing_of_the_kind }}", "{{ facts.show( }}", "{{ report.carried }}"])
def test_a_template_that_fails_gives_way_to_the_general_one_which_says_so(broken: str) -> None:
    shipped = PackageLoader("surefoot.incidents")
    general = shipped.get_source(RunbookWriter().environment, GENERAL)[0]
    writer = RunbookWriter(DictLoader({GENERAL: general, "tool_failed.md.j2": broken}))
    request = ComposeRequest(incident_id="incident-1", report=report(IncidentKind.TOOL_FAILED))
    text = writer.write(request, EVIDENCE).markdown
    assert headings(text)[1:] == SECTIONS
    assert "The template for tool_failed failed" in text


def test_a_general_template_that_fails_is_an_error() -> None:
    writer = RunbookWriter(DictLoader({GENERAL: "{{ nothing_of_the_kind }}"}))
    request = ComposeRequest(incident_id="incident-1", report=report(IncidentKind.TOOL_FAILED))
    with pytest.raises(TemplateError, match="nothing_of_the_kind"):
        writer.write(request, EVIDENCE)


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("./starter.py breakers", None),
        ("./starter.py budget --session 'my chat' --tenant acme", None),
        ("./starter.py breakers show create_order --json", None),
        ("./starter.py", "names no command"),
        ("./starter.py incidents", "names no command"),
        ("./starter.py mend it", "No such command 'mend'"),
        ("./starter.py retry", "Missing argument 'RUN'"),
        ("./starter.py status k --nope", "No such option"),
        ("./starter.py reset k --to 0 --by ann --reason why", "--to"),
        ("./starter.py show --help", "help only"),
        ("./starter.py status 'k", "No closing quotation"),
    ],
)
def test_the_command_line_says_whether_it_would_take_a_command(command: str, why: str | None) -> None:
    found = refusal(command)
    assert found is None if why is None else why in (found or "")


def test_the_command_line_is_put_together_once_for_all_that_are_asked_about() -> None:
    whole.cache_clear()
    for command in ("./starter.py runs", "./starter.py incidents list", "./starter.py mend it"):
        refusal(command)
    assert whole.cache_info().misses == 1


def test_a_command_that_the_command_line_does_not_know_is_a_problem_of_the_runbook() -> None:
    shipped = PackageLoader("surefoot.incidents")
    general = shipped.get_source(RunbookWriter().environment, GENERAL)[0]
    wrong = general.replace("{{ commands.retry }}", "{{ commands.retry }} --hard")
    request = ComposeRequest(incident_id="incident-1", report=report(IncidentKind.TOOL_FAILED))
    runbook = RunbookWriter(DictLoader({GENERAL: wrong, "tool_failed.md.j2": wrong}), refusal=refusal).write(
        request, EVIDENCE
    )
    assert runbook.completeness
    assert "No such option: --hard" in "".join(runbook.completeness.problems)


def test_the_profiles_that_use_what_failed_are_named() -> None:
    profiles = {"create_order": tuple(f"shop-{number:02}" for number in range(12))}
    writer = RunbookWriter(surroundings=Surroundings(profiles))
    text = writer.write(ComposeRequest(incident_id="incident-1", report=report(IncidentKind.BREAKER_OPEN)), EVIDENCE)
    assert "- profiles `shop-00`, `shop-01`" in text.markdown
    assert "`shop-09` and 2 more" in text.markdown


def test_the_levels_of_a_policy_are_named_with_their_minutes_and_channels() -> None:
    levels = [
        {"who": "first responder", "channels": ["slack"]},
        {"after": "90s", "who": "the [lead](https://evil.example)", "channels": ["pagerduty", "slack", "webhook"]},
    ]
    escalation = Escalation.model_validate({"levels": levels, "repeats": 1, "every": "1h"})
    one = report(IncidentKind.BREAKER_OPEN)
    text = (
        RunbookWriter()
        .write(ComposeRequest(incident_id="incident-1", report=one, escalation=escalation), EVIDENCE)
        .markdown
    )
    assert "- after 0 minutes: `first responder`, by slack\n" in text
    assert "- after 1.5 minutes: `the [lead](https://evil.example)`, by pagerduty, slack and webhook\n" in text
    assert "- then all of it again, 1 time more, every 60 minutes\n" in text
