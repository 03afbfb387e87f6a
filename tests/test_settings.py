"""The settings are complete, known and fixed, or refused by name."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from surefoot.errors import InvalidInput
from surefoot.settings import STACK_FILE, given, load, variables

REDIS = "redis://127.0.0.1:9"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without a ``.env`` and without a stack."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refusal() -> str:
    with pytest.raises(InvalidInput) as caught:
        load()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_missing_setting_is_named_with_what_to_do() -> None:
    assert (
        refusal()
        == "REDIS_URL: is not set (no stack is up in the state folder; `./starter.py up` runs all that is needed)"
    )


def test_an_empty_setting_is_a_missing_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "")
    assert refusal().startswith("REDIS_URL: is not set")


def test_everything_wrong_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUREFOOT_HEARTBEAT", "soon")
    monkeypatch.setenv("SUREFOOT_MAX_ACTIVITIES", "-3")
    monkeypatch.setenv("CRM_API_URL", "not an address")
    monkeypatch.setenv("SUREFOOT_KEY_PREFIX", "a b")

    told = refusal()
    for name in ("REDIS_URL", "SUREFOOT_HEARTBEAT", "SUREFOOT_MAX_ACTIVITIES", "CRM_API_URL", "SUREFOOT_KEY_PREFIX"):
        assert f"{name}: " in told


@pytest.mark.parametrize("span", ["0s", "-5s", f"{'9' * 40}d", "²s"])
def test_a_time_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, span: str) -> None:
    monkeypatch.setenv("REDIS_URL", REDIS)
    monkeypatch.setenv("SUREFOOT_HEARTBEAT", span)
    assert refusal().startswith("SUREFOOT_HEARTBEAT: ")


def test_an_unknown_setting_is_refused_with_the_one_that_was_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", REDIS)
    monkeypatch.setenv("SUREFOOT_TASK_QUEU", "mine")
    assert refusal() == "unknown setting SUREFOOT_TASK_QUEU; did you mean SUREFOOT_TASK_QUEUE?"


def test_an_unknown_setting_in_the_env_file_is_refused_too(elsewhere: Path) -> None:
    (elsewhere / ".env").write_text(f"REDIS_URL={REDIS}\nSUREFOOT_LOG_LEVLE=debug\n")
    assert "did you mean SUREFOOT_LOG_LEVEL?" in refusal()


def test_other_programs_variables_are_none_of_its_business(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANOTHER_PROGRAM", "1")
    (elsewhere / ".env").write_text(f"REDIS_URL={REDIS}\nYET_ANOTHER=1\n")
    assert load().redis_url.get_secret_value() == REDIS


def test_the_environment_comes_before_the_env_file_and_that_before_the_stack(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("SUREFOOT_TASK_QUEUE", "SUREFOOT_KEY_PREFIX", "TEMPORAL_NAMESPACE")
    stack = elsewhere / ".surefoot"
    stack.mkdir()
    (stack / STACK_FILE).write_text(json.dumps({**dict.fromkeys(names, "stack"), "REDIS_URL": REDIS}))
    (elsewhere / ".env").write_text("SUREFOOT_TASK_QUEUE=file\nSUREFOOT_KEY_PREFIX=file\n")
    monkeypatch.setenv("SUREFOOT_TASK_QUEUE", "environment")

    settings = load()

    assert (settings.task_queue, settings.key_prefix, settings.temporal_namespace) == ("environment", "file", "stack")
    assert settings.redis_url.get_secret_value() == REDIS
    assert load(SUREFOOT_TASK_QUEUE="caller").task_queue == "caller"


def test_the_stack_is_found_where_the_state_folder_is_said_to_be(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (elsewhere / "mine").mkdir()
    (elsewhere / "mine" / STACK_FILE).write_text(json.dumps({"REDIS_URL": REDIS, "CRM_API_URL": "http://127.0.0.1:9"}))
    monkeypatch.setenv("SUREFOOT_STATE_DIR", "mine")

    assert str(load().crm_url) == "http://127.0.0.1:9/"


def test_what_was_set_is_told_apart_from_what_the_stack_lends(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (elsewhere / ".surefoot").mkdir()
    (elsewhere / ".surefoot" / STACK_FILE).write_text(json.dumps({"REDIS_URL": REDIS}))
    (elsewhere / ".env").write_text("mail_api_url=http://127.0.0.1:9\nCRM_API_URL=\n")
    monkeypatch.setenv("ORDER_API_URL", "http://127.0.0.1:9")

    assert {name for name in given() if name in variables()} >= {"ORDER_API_URL", "MAIL_API_URL"}
    assert not given().keys() & {"REDIS_URL", "CRM_API_URL"}


def test_a_broken_stack_file_says_what_to_do(elsewhere: Path) -> None:
    (elsewhere / ".surefoot").mkdir()
    (elsewhere / ".surefoot" / STACK_FILE).write_text("{")
    assert "is unreadable" in refusal()
    (elsewhere / ".surefoot" / STACK_FILE).write_text("[]")
    assert "is not what `./starter.py up` writes" in refusal()


def test_a_state_folder_that_is_none_is_named(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (elsewhere / "file").touch()
    monkeypatch.setenv("SUREFOOT_STATE_DIR", "file")
    assert "Not a directory" in refusal()


def test_what_is_wrong_is_not_taken_for_a_stack_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", REDIS)
    monkeypatch.setenv("SUREFOOT_MAX_ACTIVITIES", "0")
    assert "starter.py up" not in refusal()


def test_the_settings_cannot_be_changed() -> None:
    settings = load(REDIS_URL=REDIS)
    with pytest.raises(ValidationError, match="frozen"):
        settings.task_queue = "other"  # type: ignore[misc]  # what is tested


def test_secrets_do_not_show() -> None:
    settings = load(REDIS_URL="redis://:hunter2@127.0.0.1:9", GEMINI_API_KEY="hunter2", MISTRAL_API_KEY="hunter2")
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in settings.model_dump_json()


@pytest.mark.parametrize("name", ["SLACK_WEBHOOK_URL", "INCIDENT_WEBHOOK_URL"])
def test_an_address_that_is_a_secret_is_checked_and_never_shown(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", REDIS)
    monkeypatch.setenv(name, "hooks.example/hunter2")
    said = refusal()
    assert f"{name}: is no http or https address" in said
    assert "hunter2" not in said
    monkeypatch.setenv(name, "https://hooks.example/hunter2")
    assert "hunter2" not in repr(load())


def test_a_time_is_a_number_and_a_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUREFOOT_HEARTBEAT", "1.5m")
    monkeypatch.setenv("SUREFOOT_STORE_TIMEOUT", "250ms")
    settings = load(REDIS_URL=REDIS)
    assert (settings.heartbeat, settings.store_timeout) == (timedelta(seconds=90), timedelta(milliseconds=250))


def test_every_variable_has_a_name_of_its_own() -> None:
    names = variables()
    assert len(names) == len(set(names))
    assert all(name.isupper() for name in names)
