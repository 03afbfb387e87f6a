"""Crash points are for tests, and for points that there are."""

from pathlib import Path

import pytest

from surefoot.errors import InvalidInput
from surefoot.settings import Settings, load


def armed(point: str, environment: str = "test") -> Settings:
    return load(
        SUREFOOT_TEST_KILL_AT=point,
        SUREFOOT_ENV=environment,
        REDIS_URL="redis://127.0.0.1:9",
        SUREFOOT_STATE_DIR=Path("none"),
        _env_file=None,
    )


@pytest.mark.parametrize("environment", ["production", "development"])
def test_only_a_worker_under_test_can_be_armed(environment: str) -> None:
    with pytest.raises(InvalidInput, match="SUREFOOT_TEST_KILL_AT: a worker kills itself in tests alone"):
        armed("after_effect", environment)


@pytest.mark.parametrize("point", ["", "somewhere", "after_effect:", "after_effect:0", "after_effect:-1", ":2"])
def test_a_point_that_there_is_not_is_refused_with_those_that_there_are(point: str) -> None:
    with pytest.raises(InvalidInput, match="is no crash point; points are before_claim, after_claim"):
        armed(point)


def test_a_point_can_be_armed_for_a_later_time() -> None:
    assert armed("mid_model_call:3").kill_at == "mid_model_call:3"
