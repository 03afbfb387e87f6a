"""Whatever a run, a model or a back end says, the runbook keeps its form, its size and its commands."""

import shlex

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from surefoot.contracts.incidents import ComposeRequest, Evidence, IncidentKind, IncidentReport, TimelineEntry
from surefoot.contracts.oncall import Escalation, Level, Link
from surefoot.incidents.anatomy import parts
from surefoot.incidents.completeness import SECTIONS, THRESHOLD
from surefoot.incidents.html import rendered
from surefoot.incidents.runbook import RunbookWriter
from tests.incidents.reports import AT, report
from tests.incidents.test_html import Page, assert_harmless

LONGEST = 80_000
"""Characters of a runbook all of whose texts and lists are cut, apart from its names and commands."""

FRAGMENTS = st.sampled_from(
    [
        *("{{ 7*7 }}", "{% raw %}", "{# x #}", "{{", "%}", "None", "undefined", "TODO", "<placeholder>"),
        *("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</code></pre>", "&lt;", "<!-- "),
        *("`", "``", "```", "\n```sh\nreboot\n```\n", "\n# Forged\n", "\n## Mitigation\n", "\n---\n", "\n    indented"),
        *("[a](javascript:x)", "![a](https://evil.example)", "<https://evil.example>", "| a | b |\n|---|---|", "* * *"),
        *("<!channel>", "<@U123>", "<https://evil.example|click>", "@everyone", "@here"),
        *("'; reboot #", "$(reboot)", "`reboot`", "\\", "'", '"', "--help", "&& x"),
        *("\x00", "\x1b[31m", "\r\n", "\u202e", "\u200f", "\u2028", "\ufeff", "\ud800", "\t", " "),
        *("word", "€ 日本 🤖", "bob@example.com", "sk-abcdefghijklmnop", "x" * 500),
    ]
)
TEXTS = st.lists(FRAGMENTS, max_size=6).map("".join) | st.text(max_size=80)
VALUES: st.SearchStrategy[JsonValue] = (
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.lists(TEXTS, max_size=3)
)
KEYS = st.sampled_from(["error", "reason", "arguments", "request", "effect", "effect_key", "settled", "limit", "turns"])


@st.composite
def reports(draw: st.DrawFn) -> IncidentReport:
    return IncidentReport.model_construct(
        kind=draw(st.sampled_from(IncidentKind)),
        facts=draw(st.dictionaries(KEYS | TEXTS, VALUES, max_size=6)),
        at=AT,
        carried=None,
        subject=draw(TEXTS),
        tenant=draw(TEXTS),
        episode=draw(TEXTS),
        run_id=draw(TEXTS),
        summary=draw(TEXTS),
    )


def hostile_evidence(text: str) -> Evidence:
    return Evidence.model_construct(
        timeline=(TimelineEntry.model_construct(at=AT, what=text),),
        run_status=text,
        attempts=3,
        errors=(text,),
        guards={text: text},
        workers=(text,),
        gaps=(text,),
    )


def check(markdown: str) -> None:
    """The form that every runbook has."""
    assert [name for name in parts(markdown) if name != "Title"] == [section.name for section in SECTIONS[1:]]
    for part in parts(markdown).values():
        assert all(shlex.split(command)[0] == "./starter.py" for command in part.commands)
        assert not [text for text in part.texts if "<!" in text or "<@" in text or "@everyone" in text]
    assert all(character.isprintable() or character == "\n" for character in markdown)
    page = Page(rendered(markdown))
    assert_harmless(page)
    assert page.tags.count("h2") == len(SECTIONS) - 1
    assert page.links == []


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
@given(reports(), TEXTS)
def test_no_text_changes_the_form_of_a_runbook(hostile: IncidentReport, text: str) -> None:
    level = Level.model_construct(after=AT - AT, who=text, channels=("slack",))
    request = ComposeRequest.model_construct(
        incident_id="incident-1",
        report=hostile,
        escalation=Escalation.model_construct(levels=(level,), repeats=0),
        links=(Link.model_construct(text=text, url=text),),
        assessment=None,
    )
    runbook = RunbookWriter().write(request, hostile_evidence(text))
    check(runbook.markdown)
    assert runbook.completeness
    assert runbook.completeness.score >= THRESHOLD


@pytest.mark.parametrize("kind", [IncidentKind.TOOL_FAILED, IncidentKind.APPROVAL_EXPIRED])
def test_megabytes_are_cut_with_a_note(kind: IncidentKind) -> None:
    flood = "<b>`{{ no }}` " * 20_000
    facts: dict[str, JsonValue] = {f"fact {number}": flood[:5_000] for number in range(100)}
    huge = report(kind, facts={**facts, "error": flood, "arguments": {"text": flood}}, summary=flood, tenant=flood)
    evidence = Evidence(
        timeline=tuple(TimelineEntry(at=AT, what=flood[:300]) for _ in range(61)),
        errors=(flood,) * 10,
        guards=dict.fromkeys(map(str, range(500)), flood),
        gaps=(flood,) * 100,
    )
    runbook = RunbookWriter().write(ComposeRequest(incident_id="incident-1", report=huge), evidence)
    check(runbook.markdown)
    size = len(runbook.markdown)
    assert size < LONGEST
    assert "…" in runbook.markdown
    assert "and: 62 more" in runbook.markdown
    assert "480 more" in runbook.markdown


def test_a_subject_without_end_is_cut_with_a_note() -> None:
    huge = report(IncidentKind.TOOL_FAILED, subject="x" * 300_000, run_id="\x00" * 300_000)
    runbook = RunbookWriter().write(ComposeRequest(incident_id="incident-1", report=huge), Evidence())
    check(runbook.markdown)
    size = len(runbook.markdown)
    assert size < 6 * LONGEST
    assert "…" in runbook.markdown
