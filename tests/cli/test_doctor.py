"""The doctor: what is wrong with the surroundings, and what to do."""

from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.worker import Worker

from surefoot.doctor import Verdict, redis_findings
from surefoot.reliability.health import Health
from tests.cli.conftest import Typed

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
