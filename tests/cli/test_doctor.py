"""The doctor: what is wrong with the surroundings, and what to do."""

from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.worker import Worker

from surefoot.doctor import Verdict, redis_findings
from surefoot.reliability.health import Health
from surefoot.simulator.client import SimulatorClient
from surefoot.simulator.sinks.alerts import AlertState
from tests.cli.conftest import Left, Typed
from tests.support.s3 import Shelf, found_by_the_sdk
from tests.support.servers import address_of

HEALTHY = Health(version=(7, 0, 15), eviction="noeviction", append_only=True, clock_ahead=timedelta(0))


async def test_a_working_stack_is_healthy(starter: Typed, served: Worker) -> None:
    left = await starter("doctor", "--json")
    verdicts = {one["subject"]: one["verdict"] for one in left.document["findings"]}
    assert (left.code, left.document["healthy"]) == (0, True)
    assert verdicts["retention"] == verdicts["search attributes"] == verdicts["workers"] == "ok"
    assert verdicts["profile support"] == "ok"
    assert verdicts["persistence"] == "warn"  # the tests' Redis keeps nothing


async def test_what_does_not_answer_fails_and_the_rest_is_told_all_the_same(typed: Typed) -> None:
    left = await typed("doctor", REDIS_URL="redis://127.0.0.1:1/0", TEMPORAL_ADDRESS="127.0.0.1:2")
    failed = [line for line in left.out.splitlines() if line.startswith("fail")]
    assert left.code == 1
    assert any("Temporal" in line and "127.0.0.1:2" in line for line in failed)
    assert any("Redis" in line and "127.0.0.1:1" in line for line in failed)
    assert "profile support" in left.out


async def test_nobody_who_works_is_a_warning(typed: Typed) -> None:
    left = await typed("doctor")
    assert left.code == 0
    assert any(line.startswith("warn") and "worker.py" in line for line in left.out.splitlines())


async def test_a_wrong_setting_is_named(typed: Typed) -> None:
    left = await typed("doctor", SUREFOOT_TYPO="x")
    assert left.code == 1
    assert any(line.startswith("fail") and "SUREFOOT_TYPO" in line for line in left.out.splitlines())


async def test_profiles_that_cannot_be_used_are_named_and_keys_that_miss(
    typed: Typed, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "broken.toml").write_text("system = 3")
    (tmp_path / "keyless.toml").write_text('system = "s"\nladder = ["gemini:gemini-2.5-pro"]')
    (tmp_path / "halved.toml").write_text(
        'system = "s"\nladder = ["mistral:mistral-large-2512"]\nfallback = ["gemini:gemini-2.5-pro"]'
    )
    for name in ("GEMINI_API_KEY", "GEMINI_API_URL"):
        environment.pop(name, None)
    left = await typed("doctor", SUREFOOT_AGENTS_DIR=str(tmp_path))
    told = {line.split()[2]: line for line in left.out.splitlines() if line.split()[1] == "profile"}
    assert told["broken"].startswith("fail")
    assert told["keyless"].startswith("fail")
    assert told["halved"].startswith("warn")
    assert "set GEMINI_API_KEY" in told["keyless"]


@pytest.mark.parametrize(
    ("change", "subject", "verdict"),
    [
        ({"version": (6, 0, 9)}, "Redis", Verdict.FAIL),
        ({"version": (6, 2, 14)}, "Redis", Verdict.OK),
        ({"eviction": "allkeys-lru"}, "eviction", Verdict.FAIL),
        ({"append_only": False}, "persistence", Verdict.WARN),
        ({"clock_ahead": timedelta(seconds=-9)}, "clock", Verdict.WARN),
        ({"clock_ahead": timedelta(seconds=1)}, "clock", Verdict.OK),
    ],
)
def test_redis_is_judged_by_what_it_says_of_itself(change: dict[str, object], subject: str, verdict: Verdict) -> None:
    found = {finding.subject: finding for finding in redis_findings(Health(**{**vars(HEALTHY), **change}))}
    assert found[subject].verdict is verdict
    assert bool(found[subject].remedy) is (verdict is not Verdict.OK)
    assert all(finding.verdict is Verdict.OK for name, finding in found.items() if name != subject)


def channel_lines(left: Left) -> dict[str, str]:
    return {line.split()[2]: line for line in left.out.splitlines() if line.split()[1] == "channel"}


async def test_without_a_channel_it_warns_that_nobody_is_told(typed: Typed) -> None:
    left = await typed("doctor")
    (line,) = [line for line in left.out.splitlines() if line.split()[1] == "channels"]
    assert line.startswith("warn")
    assert "PAGERDUTY_ROUTING_KEY" in line


async def test_channels_are_looked_at_without_telling_anybody(typed: Typed, simulator: SimulatorClient) -> None:
    left = await typed("doctor", APPRISE_URLS="json://localhost", **simulator.channel_variables)
    lines = channel_lines(left)
    assert lines.keys() == {"pagerduty", "opsgenie", "slack", "webhook", "apprise"}
    assert all(line.startswith("ok") for line in lines.values())
    assert "takes OPSGENIE_API_KEY" in lines["opsgenie"]
    assert "the rest was not checked" in lines["pagerduty"]
    assert [call for call in await simulator.calls() if call.method == "POST"] == []
    assert [secret for secret in simulator.channel_variables.values() if secret in left.out] == []


async def test_a_test_notification_is_sent_when_it_is_asked_for_and_leaves_nothing_open(
    typed: Typed, simulator: SimulatorClient
) -> None:
    left = await typed("doctor", "--send-test-notification", **simulator.channel_variables)
    assert all("took a test notification" in line for line in channel_lines(left).values())
    alerts = await simulator.alerts()
    assert len(alerts) == 4
    assert {alert.state for alert in alerts} == {AlertState.RESOLVED}


async def test_a_channel_that_refuses_or_is_away_fails(typed: Typed, simulator: SimulatorClient) -> None:
    away = {"SLACK_WEBHOOK_URL": "http://127.0.0.1:1/hunter2"}
    given = simulator.channel_variables | away | {"OPSGENIE_API_KEY": "hunter2", "INCIDENT_WEBHOOK_SECRET": ""}
    left = await typed("doctor", **given)
    lines = channel_lines(left)
    assert left.code == 1
    assert lines["opsgenie"].startswith("fail")
    assert "check OPSGENIE_API_KEY" in lines["opsgenie"]
    assert lines["slack"].startswith("fail")
    assert "127.0.0.1 cannot be reached" in lines["slack"]
    assert lines["webhook"].startswith("warn")
    assert "set INCIDENT_WEBHOOK_SECRET" in lines["webhook"]
    assert "hunter2" not in left.out


async def test_a_channel_that_cannot_be_set_up_fails(typed: Typed) -> None:
    left = await typed("doctor", APPRISE_URLS="nonsense://hunter2")
    assert left.code == 1
    assert "APPRISE_URLS" in channel_lines(left)["channels"]
    assert "hunter2" not in left.out


async def test_severities_that_nobody_is_told_of_are_named(typed: Typed, simulator: SimulatorClient) -> None:
    slack = {"SLACK_WEBHOOK_URL": simulator.channel_variables["SLACK_WEBHOOK_URL"]}
    left = await typed("doctor", **slack)
    (line,) = [line for line in left.out.splitlines() if line.split()[1] == "on-call"]
    assert line.startswith("warn")
    assert "nobody is told of SEV5" in line
    left = await typed("doctor", **simulator.channel_variables)
    (line,) = [line for line in left.out.splitlines() if line.split()[1] == "on-call"]
    assert line.startswith("ok")


async def test_an_on_call_policy_that_cannot_be_used_fails_with_its_reason(typed: Typed, tmp_path: Path) -> None:
    (tmp_path / "oncall.toml").write_text("[escalation.SEV9]\n")
    left = await typed("doctor", SUREFOOT_ONCALL=str(tmp_path / "oncall.toml"))
    (line,) = [line for line in left.out.splitlines() if line.split()[1] == "on-call"]
    assert line.startswith("fail")
    assert "SEV9" in line
    assert left.code == 1


async def test_a_model_for_hints_without_a_key_is_told(typed: Typed) -> None:
    left = await typed(
        "doctor", SUREFOOT_INCIDENT_MODEL="gemini:gemini-2.5-flash", GEMINI_API_KEY="", GEMINI_API_URL=""
    )
    assert "GEMINI_API_KEY is not set, so gemini:gemini-2.5-flash adds no hint" in " ".join(left.out.split())


async def test_large_payloads_are_tried_where_they_go(typed: Typed, shelf: Shelf) -> None:
    found = found_by_the_sdk(address_of("s3"))

    async def told(bucket: str) -> str:
        left = await typed("doctor", **found, SUREFOOT_PAYLOAD_STORE="s3", SUREFOOT_PAYLOAD_BUCKET=bucket)
        (line,) = [line for line in left.out.splitlines() if line.split()[1] == "payloads"]
        return line

    assert f"go to bucket '{shelf.bucket}'" in (fine := await told(shelf.bucket))
    assert fine.startswith("ok")
    assert "S3 has no bucket 'nobodys'" in (missing := await told("nobodys"))
    assert missing.startswith("fail")
