"""Profiles are read, joined with their tools, and refused with file, key and reason."""

from datetime import timedelta
from pathlib import Path

import pytest
from genai_prices import Usage, calc_price

from surefoot.contracts.budgets import BudgetLimit, BudgetWindow, ScopeKind
from surefoot.contracts.models import name_of, provider_of
from surefoot.contracts.profiles import Profile
from surefoot.contracts.tools import Effect
from surefoot.errors import InvalidInput, ProfileError
from surefoot.profiles import SHIPPED, Profiles
from surefoot.profiles.contradictions import LONGEST_MODEL_CALL, LONGEST_TOOL_ATTEMPT
from surefoot.settings import load
from surefoot.tools.registry import ToolRegistry
from workflows import policies

SHOP = "http://127.0.0.1:9/shop"
VARIABLES = (
    "CRM_API_URL",
    "ORDER_API_URL",
    "RETURN_PORTAL_URL",
    "REFUND_API_URL",
    "MAIL_API_URL",
    "SEARCH_API_URL",
    "PUBLISH_API_URL",
)
LEAST = 'system = "Be kind."\nladder = ["gemini:gemini-2.5-pro", "gemini:gemini-2.5-flash"]\n'


def registry_of(*variables: str) -> ToolRegistry:
    return ToolRegistry.from_settings(
        load(REDIS_URL="redis://127.0.0.1:9", _env_file=None, **dict.fromkeys(variables, SHOP))
    )


@pytest.fixture(scope="module")
def registry() -> ToolRegistry:
    return registry_of(*VARIABLES)


def loaded(folder: Path, registry: ToolRegistry, text: str, fallback_model: str | None = None) -> Profile:
    (folder / "mine.toml").write_text(text)
    return Profiles(folder, registry, fallback_model).load("mine")


def refusal(folder: Path, registry: ToolRegistry, text: str, fallback_model: str | None = None) -> str:
    with pytest.raises(ProfileError) as caught:
        loaded(folder, registry, text, fallback_model)
    told = str(caught.value)
    assert told.startswith(f"{folder / 'mine.toml'}: ")
    assert "\n" not in told
    return told.removeprefix(f"{folder / 'mine.toml'}: ")


def test_the_shipped_profiles_can_all_be_used(registry: ToolRegistry) -> None:
    profiles = Profiles(None, registry)

    assert profiles.names() == (
        "demo-operations",
        "demo-research",
        "demo-support",
        "operations",
        "research",
        "summarise",
        "support",
    )
    assert profiles.check_all() == ()


def test_the_agents_are_what_they_are_said_to_be(registry: ToolRegistry) -> None:
    profiles = Profiles(SHIPPED, registry)
    operations, support, research = (profiles.load(name) for name in ("operations", "support", "research"))
    half_a_dollar = {ScopeKind.SESSION: BudgetLimit(limit=500_000_000, soft_percent=80)}

    assert [tool.name for tool in operations.tools] == ["create_order", "send_email"]
    assert operations.ladder == ("gemini:gemini-2.5-pro", "gemini:gemini-2.5-flash")
    assert operations.budgets == half_a_dollar
    assert [tool.name for tool in support.tools] == [
        "look_up_customer",
        "look_up_order",
        "start_return",
        "issue_refund",
    ]
    assert support.fallback == ("mistral:mistral-medium-2604",)
    assert research.approvals["publish_summary"].expires == timedelta(hours=24)
    assert all("data" in profile.system for profile in (operations, support, research))


@pytest.mark.parametrize("name", ["operations", "support", "research", "summarise"])
def test_each_rung_is_cheaper_than_the_one_before_and_every_model_has_a_price(
    registry: ToolRegistry, name: str
) -> None:
    profile = Profiles(None, registry).load(name)

    def price(model: str) -> float:
        provider = {"gemini": "google", "mistral": "mistral"}[provider_of(model)]
        usage = Usage(input_tokens=10_000, output_tokens=1_000)
        return float(calc_price(usage, name_of(model), provider_id=provider).total_price)

    prices = [price(model) for model in profile.ladder]
    assert prices == sorted(set(prices), reverse=True)
    assert all(price(model) > 0 for model in profile.fallback)


@pytest.mark.parametrize("name", ["operations", "support", "research"])
def test_a_demo_profile_differs_from_its_base_in_times_and_room_only(registry: ToolRegistry, name: str) -> None:
    profiles = Profiles(None, registry)
    base, demo = profiles.load(name), profiles.load(f"demo-{name}")

    assert (demo.system, demo.ladder, demo.fallback, demo.budgets) == (
        base.system,
        base.ladder,
        base.fallback,
        base.budgets,
    )
    assert [tool.parameters for tool in demo.tools] == [tool.parameters for tool in base.tools]
    assert all(tool.deadline <= timedelta(seconds=2) for tool in demo.tools)
    assert all(tool.breaker.open_for == timedelta(seconds=3) for tool in demo.tools)


def test_a_tool_is_granted_with_its_contract_and_what_the_profile_sets_in_its_place(
    tmp_path: Path, registry: ToolRegistry
) -> None:
    profile = loaded(
        tmp_path,
        registry,
        LEAST
        + """
        [tools.look_up_order]
        [tools.issue_refund]
        deadline = "2.5s"
        attempts = 2
        fallback = "Later."
        breaker = { open_for = "500ms" }
        """,
    )
    plain, refund = profile.tools

    assert plain == registry["look_up_order"].contract()
    assert (refund.deadline, refund.attempts, refund.fallback) == (timedelta(seconds=2.5), 2, "Later.")
    assert refund.breaker == registry["issue_refund"].contract().breaker.model_copy(
        update={"open_for": timedelta(milliseconds=500)}
    )
    assert (refund.effect, refund.identity) == (Effect.VERIFIABLE, ("order_id", "amount"))


def test_money_is_exact_and_a_session_is_never_without_a_cap(tmp_path: Path, registry: ToolRegistry) -> None:
    profile = loaded(
        tmp_path, registry, LEAST + '[budgets.tenant]\nlimit = "1234567.000000001"\nsoft_percent = 50\nwindow = "day"\n'
    )

    assert profile.budgets == {
        ScopeKind.SESSION: BudgetLimit(limit=500_000_000, soft_percent=80),
        ScopeKind.TENANT: BudgetLimit(limit=1_234_567_000_000_001, soft_percent=50, window=BudgetWindow.DAY),
    }


def test_the_settings_fallback_replaces_every_profiles(tmp_path: Path, registry: ToolRegistry) -> None:
    text = LEAST + 'fallback = ["mistral:mistral-small-2506"]\n'

    assert loaded(tmp_path, registry, text).fallback == ("mistral:mistral-small-2506",)
    replaced = loaded(tmp_path, registry, text, fallback_model="mistral:mistral-medium-2508")
    assert replaced.fallback == ("mistral:mistral-medium-2508",)
    assert "is on the ladder already" in refusal(tmp_path, registry, text, fallback_model="gemini:gemini-2.5-pro")
    with pytest.raises(InvalidInput, match="FALLBACK_MODEL 'mistral-medium-latest' is not a model"):
        Profiles(tmp_path, registry, "mistral-medium-latest")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (LEAST + "limits = {", "unreadable: Invalid initial character for a key part (at end of document)"),
        (LEAST + "limits =\n", "unreadable: Invalid value (at line 3, column 9)"),
        ('ladder = ["gemini:a"]', "system: is not set"),
        ('system = " "\nladder = ["gemini:a"]', "system: is empty"),
        ('system = "x"\nladder = []', "ladder: Tuple should have at least 1 item"),
        (LEAST + "laddr = []", "laddr: unknown key; did you mean 'ladder'?"),
        (LEAST + "heartbeat = '5s'", "heartbeat: unknown key"),
        (LEAST + "temperature = 3.5", "temperature: Input should be less than or equal to 2, not 3.5"),
        (LEAST + "max_output_tokens = true", "max_output_tokens: True is not a whole number"),
        (LEAST + "[limits]\nmax_turns = -1", "limits.max_turns: Input should be greater than or equal to 1, not -1"),
        (LEAST + "[limits]\nmax_duration = 60", "limits.max_duration: 60 is not a time span: write a number and its"),
        (LEAST + "[limits]\nmax_duration = '-5s'", "limits.max_duration: '-5s' is not a time span"),
        (LEAST + "[limits]\nmax_duration = '0s'", "limits.max_duration: '0s' is no time at all"),
        (LEAST + f"[limits]\nmax_duration = '{'9' * 40}d'", f"limits.max_duration: '{'9' * 40}d' is too long"),
        (LEAST + "[limits]\nmax_turn = 5", "limits.max_turn: unknown key; did you mean 'max_turns'?"),
        (LEAST + "[tools.look_up_ordr]", "tools.look_up_ordr: there is no such tool; did you mean 'look_up_order'?"),
        (LEAST + "[tools.look_up_order]\neffect = 'read'", "tools.look_up_order.effect: unknown key"),
        (LEAST + "[tools.look_up_order]\nattempts = 0", "tools.look_up_order.attempts: Input should be greater"),
        (LEAST + "[tools.send_email]\nattempts = 2", "tools.send_email.attempts: must be 1, not 2: the tool is unsafe"),
        (
            LEAST + "[tools.look_up_order]\ndeadline = '40s'",
            "tools.look_up_order.breaker.probe_lease: 30 s must be longer than the tool's deadline, 40 s",
        ),
        (
            LEAST + "[tools.issue_refund]\ndeadline = '16s'",
            "tools.issue_refund.breaker.probe_lease: 30 s must be longer than the tool's deadline, twice over since",
        ),
        (
            LEAST + "[limits]\nmax_duration = '5s'\n[tools.look_up_order]",
            "tools.look_up_order.deadline: must be shorter than limits.max_duration",
        ),
        (
            LEAST + "[tools.send_email]\ndeadline = '20m'\nbreaker = { probe_lease = '30m', half_open_at_most = '1h' }",
            "tools.send_email.deadline: 1200 s for one attempt is more than the 594 s that a call has with all its",
        ),
        (
            LEAST + "[tools.send_email]\ndeadline = '1s'\nbreaker = { opens_on = ['slow'], slow_after = '5s' }",
            "tools.send_email.breaker.slow_after: 5 s must be shorter than the tool's deadline, 1 s, or no call is",
        ),
        (
            LEAST + "[tools.send_email]\ndeadline = '5s'\nbreaker = { opens_on = ['slow'] }",
            "tools.send_email.breaker.slow_after: 5 s must be shorter than the tool's deadline, 5 s, or no call is",
        ),
        (
            LEAST + "[limits]\nmodel_deadline = '4s'\n[model_breaker]\nopens_on = ['slow']",
            "model_breaker.slow_after: 5 s must be shorter than limits.model_deadline, 4 s, or no call is slow",
        ),
        (
            LEAST + "[limits]\nmodel_deadline = '14m'\nmax_duration = '10m'",
            "limits.model_deadline: 840 s must not be longer than limits.max_duration, 600 s",
        ),
        (
            LEAST + "[limits]\nmodel_deadline = '15m'",
            "limits.model_deadline: 900 s must be shorter than 900 s, after which the call is charged as one whose",
        ),
        (
            LEAST + "[limits]\nmodel_deadline = '2h'\nmax_duration = '3h'",
            "limits.model_deadline: 7200 s must be shorter than 900 s",
        ),
        (
            LEAST + "[limits]\nstore_wait = '3h'",
            "limits.store_wait: 10800 s must not be longer than limits.max_duration, 3600 s",
        ),
        (
            LEAST + "[limits]\ncontext_tokens = 1900",
            "limits.context_tokens: 1900 leaves no room for a conversation: max_output_tokens, system prompt and tools",
        ),
        (LEAST + "[limits]\ncontext_tokens = '8k'", "limits.context_tokens: '8k' is not a whole number"),
        (LEAST + "[limits]\nverbatim_turns = 0", "limits.verbatim_turns: Input should be greater than or equal to 1"),
        (
            LEAST + "[model_breaker]\nprobe_lease = '31s'",
            "model_breaker.probe_lease: 31 s must not be shorter than limits.model_deadline, 300 s",
        ),
        (LEAST + "[model_breaker]\nopen_for = '10m'", "model_breaker.open_at_most: must not be shorter than open_for"),
        (LEAST + "[model_breaker]\nprobes = 0", "model_breaker.probes: Input should be greater than or equal to 1"),
        (LEAST + "[budgets.session]\nlimit = 0.5", "budgets.session.limit: 0.5 is not money: write dollars in quotes"),
        (LEAST + "[budgets.session]\nlimit = '-0.50'", "budgets.session.limit: '-0.50' is not money"),
        (LEAST + "[budgets.session]\nlimit = 'NaN'", "budgets.session.limit: 'NaN' is not money"),
        (LEAST + "[budgets.session]\nlimit = '1e3'", "budgets.session.limit: '1e3' is not money"),
        (LEAST + "[budgets.session]\nlimit = '9999999'", "budgets.session.limit: Input should be less than or equal"),
        (
            LEAST + "[budgets.session]\nlimit = '1'\nsoft_percent = 101",
            "budgets.session.soft_percent: Input should be less than or equal to 100, not 101",
        ),
        (LEAST + "[budgets.sesion]\nlimit = '1'", "budgets.sesion: Input should be 'tenant', 'user', 'session' or"),
        (
            LEAST + "[tools.send_email]\n[approvals.send_email]\nexpires = '31d'",
            "approvals.send_email.expires: Input should",
        ),
        (LEAST + "[approvals.send_email]", "approvals.send_email: the tool is not granted; add [tools.send_email]"),
        (LEAST + 'fallback = ["openai:gpt"]', "fallback.0: 'openai:gpt' is not a model; write gemini:NAME"),
        (LEAST + 'fallback = ["gemini:gemini-2.5-pro"]', "fallback: 'gemini:gemini-2.5-pro' is on the ladder already"),
        ('system = "x"\nladder = ["gemini:a", "gemini:a"]', "ladder: names a model twice"),
        ('base = "nobody"', "base: unknown profile 'nobody'"),
        ('base = "mine"', "base: 'mine' has a base itself; one level is enough"),
    ],
)
def test_what_is_wrong_is_named_with_file_key_and_reason(
    tmp_path: Path, registry: ToolRegistry, text: str, told: str
) -> None:
    assert refusal(tmp_path, registry, text).startswith(told)


def test_times_that_are_not_written_fit_those_that_are(tmp_path: Path, registry: ToolRegistry) -> None:
    brief = loaded(tmp_path, registry, LEAST + "[limits]\nmax_duration = '1m'")
    assert (brief.limits.model_deadline, brief.limits.store_wait) == (timedelta(minutes=1), timedelta(minutes=1))
    patient = loaded(tmp_path, registry, LEAST + "[limits]\nmodel_deadline = '14m'")
    assert patient.model_breaker.probe_lease == patient.model_breaker.half_open_at_most == timedelta(minutes=14)
    said = "probe_lease = '2m'\nopen_for = '1s'\n[limits]\nmodel_deadline = '2m'"
    breaker = loaded(tmp_path, registry, LEAST + f"[model_breaker]\n{said}").model_breaker
    assert (breaker.probe_lease, breaker.open_for) == (timedelta(minutes=2), timedelta(seconds=1))


def test_a_tool_has_time_for_one_attempt_at_least() -> None:
    assert LONGEST_TOOL_ATTEMPT + policies.TOOL_OVERHEAD == policies.TOOL_WINDOW
    assert LONGEST_MODEL_CALL + policies.MODEL_OVERHEAD < policies.MODEL_WINDOW


def test_everything_wrong_is_named_at_once(tmp_path: Path, registry: ToolRegistry) -> None:
    told = refusal(tmp_path, registry, LEAST + "[limits]\nmax_turn = 1\n[budgets.session]\nlimit = 1\n")
    assert "limits.max_turn: unknown key" in told
    assert "; budgets.session.limit: 1 is not money" in told


def test_a_tool_without_a_back_end_names_the_variable_and_spoils_no_other_profile() -> None:
    profiles = Profiles(None, registry_of("ORDER_API_URL", "CRM_API_URL", "RETURN_PORTAL_URL", "MAIL_API_URL"))
    with pytest.raises(ProfileError, match=r"issue_refund: its back end is not set up; set REFUND_API_URL$"):
        profiles.load("support")

    assert profiles.load("operations").tools
    spoilt = [str(error).partition(".toml")[0].rpartition("/")[2] for error in profiles.check_all()]
    assert spoilt == ["demo-research", "demo-support", "research", "support"]


@pytest.mark.parametrize("name", ["supprt", "../support", "support.toml", "", "/etc/passwd", "Support"])
def test_only_a_profile_of_the_folder_can_be_named(registry: ToolRegistry, name: str) -> None:
    with pytest.raises(ProfileError, match=r"unknown profile .*\(known: demo-operations, "):
        Profiles(None, registry).load(name)


def test_a_file_that_is_no_text_and_a_folder_that_is_not_there_are_named(
    tmp_path: Path, registry: ToolRegistry
) -> None:
    (tmp_path / "mine.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ProfileError, match=r"mine\.toml: unreadable: 'utf-8' codec"):
        Profiles(tmp_path, registry).load("mine")
    with pytest.raises(InvalidInput, match=r"the folder of profiles .*nowhere' is not there; set SUREFOOT_AGENTS_DIR"):
        Profiles(tmp_path / "nowhere", registry)


def test_a_changed_file_holds_for_the_next_run(tmp_path: Path, registry: ToolRegistry) -> None:
    profiles = Profiles(tmp_path, registry)
    (tmp_path / "mine.toml").write_text(LEAST)
    before = profiles.load("mine")
    (tmp_path / "mine.toml").write_text(LEAST.replace("kind", "brief"))

    assert (before.system, profiles.load("mine").system) == ("Be kind.", "Be brief.")


def test_a_base_that_changes_or_goes_holds_for_the_next_run_too(tmp_path: Path, registry: ToolRegistry) -> None:
    profiles = Profiles(tmp_path, registry)
    (tmp_path / "mine.toml").write_text('base = "house"')
    said = []
    for system in ("kind", "kind", "brief"):
        (tmp_path / "house.toml").write_text(LEAST.replace("kind", system))
        said.append(profiles.load("mine").system)
    (tmp_path / "house.toml").unlink()

    assert said == ["Be kind.", "Be kind.", "Be brief."]
    with pytest.raises(ProfileError, match="unknown profile 'house'"):
        profiles.load("mine")


def test_a_pinned_profile_survives_the_history(registry: ToolRegistry) -> None:
    profile = Profiles(None, registry).load("demo-research")
    assert Profile.model_validate_json(profile.model_dump_json()) == profile
