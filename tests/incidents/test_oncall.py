"""The on-call policy says how bad an incident is and who is told, or is refused in one line."""

from importlib import resources
from pathlib import Path

import pytest

from surefoot.contracts.incidents import ComposeRequest, IncidentKind, Severity
from surefoot.errors import InvalidInput
from surefoot.incidents.oncall import OnCall, load
from surefoot.incidents.triage import Triage
from tests.incidents.reports import report

SHIPPED = (resources.files("surefoot.incidents") / "oncall.toml").read_text()
ALL = ("pagerduty", "opsgenie", "slack", "webhook", "apprise")
PAGERS = {"pagerduty", "opsgenie"}
K = IncidentKind


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "policy.toml"


def changed(file: Path, old: str, new: str) -> Path:
    assert old in SHIPPED
    file.write_text(SHIPPED.replace(old, new, 1))
    return file


def ruled(file: Path, *rules: str) -> OnCall:
    file.write_text(SHIPPED + "".join(f"\n[[severity]]\n{rule}\n" for rule in rules))
    return load(file)


@pytest.mark.parametrize("severity", [Severity.SEV4, Severity.SEV5])
def test_a_sev4_never_phones_anyone(severity: Severity, file: Path) -> None:
    quiet = load().escalation(severity, ALL)
    assert PAGERS.isdisjoint(channel for level in quiet.levels for channel in level.channels)
    for pager in sorted(PAGERS):
        table = f"\n[[escalation.{severity.name}.levels]]\nwho = 'all'\nchannels = ['{pager}']\n"
        file.write_text(SHIPPED + table)
        with pytest.raises(InvalidInput, match=rf"{severity.name} must not phone anyone: take {pager} out"):
            load(file)


def test_the_worst_are_paged_at_once_and_again_until_somebody_answers() -> None:
    loud = load().escalation(Severity.SEV1, ALL)
    assert (loud.levels[0].after.seconds, loud.repeats) == (0, 5)
    assert set(loud.levels[0].channels) >= PAGERS
    assert load().escalation(Severity.SEV1, ["slack"]).levels[0].channels == ("slack",)
    assert load().escalation(Severity.SEV1, []).levels == ()


def test_a_rule_of_ones_own_comes_before_the_built_in_table(file: Path) -> None:
    policy = ruled(
        file,
        "kind = 'breaker_open'\nsubject = 'create_*'\ntenant = 'ac?e'\nseverity = 'SEV1'\nwhy = 'no sales'",
        "kind = 'breaker_open'\nseverity = 'SEV5'\nwhy = 'the rest can wait'",
    )
    ours = policy.assess(report(K.BREAKER_OPEN))
    assert (ours.severity, ours.rule, ours.why) == (Severity.SEV1, "on-call-1", "no sales")
    assert policy.assess(report(K.BREAKER_OPEN, subject="lookup_order")).severity is Severity.SEV5
    assert policy.assess(report(K.BREAKER_OPEN, tenant="other")).rule == "on-call-2"
    assert policy.assess(report(K.STORE_WIPED)) == load().assess(report(K.STORE_WIPED))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[incidents]", "[incident]", "incident: unknown key; did you mean 'incidents'?"),
        ("[incidents]", "[incidents", "is not TOML: "),
        ('who = "on-call lead"', 'whom = "lead"', "escalation.SEV1.levels.1.who: is not set"),
        ('"5m" #', "300 #", "incidents.watch_every: 300 is not a time span: write a number and its unit in quotes"),
        ('"7d"', '"0d"', "incidents.stale_after: '0d' is no time at all"),
        ("repeats = 5", "repeats = '5'", "escalation.SEV1.repeats: Input should be a valid integer, not '5'"),
        ("repeats = 5", "repeats = 101", "escalation.SEV1.repeats: Input should be less than or equal to 100"),
        ('every = "30m"', 'every = "1m"', "escalation.SEV1: a round must be longer than until its last level"),
        ('after = "1h"', 'after = "-1h"', "escalation.SEV3.levels.1.after: '-1h' is not a time span"),
        ("[escalation.SEV3]", "[escalation.SEV3]\nlevel = 1", "escalation.SEV3.level: unknown key; did you mean"),
        ('["webhook"]', '["phone"]', "escalation.SEV5.levels.0.channels.0: Input should be 'pagerduty'"),
        ('["webhook"]', '["webhook", "webhook"]', "escalation.SEV5.levels.0.channels: names a channel twice"),
        ('["webhook"]', "[]", "escalation.SEV5.levels.0.channels: "),
    ],
)
def test_what_is_wrong_in_it_is_named_in_one_line_by_file_and_key(file: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        load(changed(file, old, new))
    told = str(caught.value)
    assert told.startswith(f"on-call policy '{file}': {said}"), told
    assert "\n" not in told


def test_a_policy_that_forgets_a_severity_is_refused(file: Path) -> None:
    file.write_text("[escalation.SEV1]\n[escalation.SEV2]\n[escalation.SEV3]\n[escalation.SEV4]\n")
    with pytest.raises(InvalidInput, match="escalation: SEV5 is not set; a severity of which nobody is told"):
        load(file)


def test_levels_that_are_out_of_order_are_refused(file: Path) -> None:
    with pytest.raises(InvalidInput, match=r"escalation.SEV1: levels must be in the order of their time"):
        load(changed(file, 'who = "first responder"', 'who = "first responder"\nafter = "10m"'))


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_refused(file: Path, content: bytes | None) -> None:
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InvalidInput, match=r"policy.toml': (cannot be read: No such file|is not TOML: )"):
        load(file)


@pytest.mark.parametrize("kind", IncidentKind)
def test_every_kind_has_a_title_and_first_steps_that_hold_no_secret(kind: IncidentKind) -> None:
    told = report(kind, summary="key Bearer abc.def.ghi\n# forged")
    triage = Triage(load(), ALL, lambda id: f"https://temporal.example/{id}")
    plan = triage.plan(ComposeRequest(incident_id="incident-1", report=told))
    assert told.subject in plan.title
    assert plan.instructions[0].command.startswith("./starter.py incidents ack incident-1 --by ")
    assert [link.url for link in plan.links] == [
        "https://temporal.example/incident-1",
        f"https://temporal.example/{told.run_id}",
    ]
    assert not plan.enrich
