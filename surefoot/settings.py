"""The settings: the one module that knows the names of environment variables.

Surefoot's own are ``SUREFOOT_*``, and an unknown one of these is refused. ``TEMPORAL_*`` are read by Temporal's own
``envconfig``. Where a value is missing, the stack that ``./starter.py up`` runs in the state folder lends its own.
"""

import difflib
import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, DotEnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from surefoot.contracts.base import Duration
from surefoot.contracts.models import ModelId
from surefoot.crash_points import CrashPoints
from surefoot.errors import InvalidInput

STACK_FILE = "stack.json"
"""In the state folder: settings of the embedded stack that runs there, by variable name."""


def _http_address(secret: SecretStr) -> SecretStr:
    """Refuse what is no address without showing it."""
    try:
        TypeAdapter(AnyHttpUrl).validate_python(secret.get_secret_value())
    except ValidationError:
        raise ValueError("is no http or https address") from None
    return secret


HttpSecret = Annotated[SecretStr, AfterValidator(_http_address)]
"""An address that must not be shown, since knowing it is the right to use it."""


class _StackSource(PydanticBaseSettingsSource):
    """Lends the addresses of the embedded stack, if one runs in the state folder."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        raise KeyError(field_name)

    def __call__(self) -> dict[str, Any]:
        file = Path(self.current_state.get("SUREFOOT_STATE_DIR") or ".surefoot") / STACK_FILE
        try:
            lent = json.loads(file.read_text())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise InvalidInput(f"{str(file)!r} is unreadable ({error}); remove it or set SUREFOOT_STATE_DIR") from None
        if not isinstance(lent, dict):
            raise InvalidInput(f"{str(file)!r} is not what `./starter.py up` writes; remove it")
        return lent


class Settings(BaseSettings):
    """Everything that can be set from outside. Immutable."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_file=".env", env_ignore_empty=True, populate_by_name=True
    )

    environment: Annotated[Literal["production", "development", "test"], Field(alias="SUREFOOT_ENV")] = "production"
    state_dir: Annotated[Path, Field(alias="SUREFOOT_STATE_DIR")] = Path(".surefoot")
    agents_dir: Annotated[Path | None, Field(alias="SUREFOOT_AGENTS_DIR")] = None
    """Where the profiles are; the shipped ones if unset."""
    task_queue: Annotated[str, Field(alias="SUREFOOT_TASK_QUEUE", min_length=1)] = "surefoot"
    key_prefix: Annotated[str, Field(alias="SUREFOOT_KEY_PREFIX", pattern=r"^[A-Za-z0-9_.-]{1,64}$")] = "surefoot"
    """Begins every key in Redis."""
    temporal_ui: Annotated[str | None, Field(alias="SUREFOOT_TEMPORAL_UI")] = None
    """Base address of Temporal's web UI, for links."""
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Field(alias="SUREFOOT_LOG_LEVEL")] = "info"
    log_format: Annotated[Literal["console", "json"], Field(alias="SUREFOOT_LOG_FORMAT")] = "console"
    max_activities: Annotated[int, Field(alias="SUREFOOT_MAX_ACTIVITIES", ge=1)] = 100
    """Activities at a time on one worker."""
    heartbeat: Annotated[Duration, Field(alias="SUREFOOT_HEARTBEAT")] = timedelta(seconds=5)
    """A worker whose activity is silent for this long is given up."""
    sticky: Annotated[Duration, Field(alias="SUREFOOT_STICKY")] = timedelta(seconds=2)
    """How long a workflow task waits for the worker that has the run in its cache."""
    sandbox: Annotated[bool, Field(alias="SUREFOOT_SANDBOX")] = False
    """Run workflow code in Temporal's sandbox, which refuses clocks and dice, at more CPU and memory a run."""
    store_timeout: Annotated[Duration, Field(alias="SUREFOOT_STORE_TIMEOUT")] = timedelta(milliseconds=300)
    """For one answer of Redis; commands wait 2 s at least."""

    transcript_memory: Annotated[int, Field(alias="SUREFOOT_TRANSCRIPT_MEMORY", ge=0)] = 32 * 1024 * 1024
    """Bytes of conversations that a worker keeps at hand, so that it need not read from Redis what it wrote itself."""
    payload_store: Annotated[Literal["inline", "redis", "s3"], Field(alias="SUREFOOT_PAYLOAD_STORE")] = "inline"
    """Where large payloads are kept: in Temporal's histories, or in Redis or S3, which must then be kept as safe as
    they. What another one has kept before can still be read."""
    payload_threshold: Annotated[int, Field(alias="SUREFOOT_PAYLOAD_THRESHOLD", ge=1024)] = 256 * 1024
    """Bytes from which on a payload is large."""
    payload_bucket: Annotated[
        str | None, Field(alias="SUREFOOT_PAYLOAD_BUCKET", min_length=1, validate_default=True)
    ] = None
    """The bucket in S3, for ``surefoot[s3]``. Region, address and credentials are found as every AWS program finds
    them, in the environment and not here: AWS_DEFAULT_REGION, AWS_ENDPOINT_URL_S3, AWS_PROFILE, roles."""

    health_port: Annotated[int | None, Field(alias="SUREFOOT_HEALTH_PORT", ge=0, le=65535)] = None
    """Where the worker answers health probes over HTTP; nowhere if unset, on any free port if 0."""
    health_host: Annotated[str, Field(alias="SUREFOOT_HEALTH_HOST", min_length=1)] = "127.0.0.1"
    """The address that it listens on; ``0.0.0.0`` where another machine probes it."""

    recordings: Annotated[Path | None, Field(alias="SUREFOOT_RECORDINGS")] = None
    """Recorded provider traffic, for the tests of the adapters."""
    kill_at: Annotated[str | None, Field(alias="SUREFOOT_TEST_KILL_AT")] = None
    """Where a worker under test kills itself; refused unless the environment is ``test``."""

    redis_url: Annotated[SecretStr, Field(alias="REDIS_URL")]
    temporal_address: Annotated[str | None, Field(alias="TEMPORAL_ADDRESS")] = None
    temporal_namespace: Annotated[str, Field(alias="TEMPORAL_NAMESPACE")] = "default"

    gemini_api_key: Annotated[SecretStr | None, Field(alias="GEMINI_API_KEY")] = None
    gemini_url: Annotated[AnyHttpUrl | None, Field(alias="GEMINI_API_URL")] = None
    """Another address than Google's, such as the simulator's."""
    mistral_api_key: Annotated[SecretStr | None, Field(alias="MISTRAL_API_KEY")] = None
    mistral_url: Annotated[AnyHttpUrl | None, Field(alias="MISTRAL_API_URL")] = None
    fallback_model: Annotated[str | None, Field(alias="FALLBACK_MODEL")] = None
    """Replaces the fallback of every profile, such as ``mistral:mistral-medium-2604``."""

    crm_url: Annotated[AnyHttpUrl | None, Field(alias="CRM_API_URL")] = None
    order_url: Annotated[AnyHttpUrl | None, Field(alias="ORDER_API_URL")] = None
    return_url: Annotated[AnyHttpUrl | None, Field(alias="RETURN_PORTAL_URL")] = None
    refund_url: Annotated[AnyHttpUrl | None, Field(alias="REFUND_API_URL")] = None
    mail_url: Annotated[AnyHttpUrl | None, Field(alias="MAIL_API_URL")] = None
    search_url: Annotated[AnyHttpUrl | None, Field(alias="SEARCH_API_URL")] = None
    publish_url: Annotated[AnyHttpUrl | None, Field(alias="PUBLISH_API_URL")] = None

    oncall: Annotated[Path | None, Field(alias="SUREFOOT_ONCALL")] = None
    """The on-call policy, a TOML file: who is told of which incident, when and how; the shipped one if unset."""
    runbook_dir: Annotated[Path | None, Field(alias="SUREFOOT_RUNBOOK_DIR")] = None
    """Where runbooks and post-incident records are also written as Markdown; nowhere if unset."""
    incident_model: Annotated[ModelId | None, Field(alias="SUREFOOT_INCIDENT_MODEL")] = None
    """Adds a summary to incidents after the page, such as ``gemini:gemini-2.5-flash``; none if unset."""
    pagerduty_key: Annotated[SecretStr | None, Field(alias="PAGERDUTY_ROUTING_KEY")] = None
    """The integration key of an Events API v2 integration; without it PagerDuty is not told of incidents."""
    pagerduty_url: Annotated[AnyHttpUrl, Field(alias="PAGERDUTY_API_URL")] = AnyHttpUrl("https://events.pagerduty.com")
    """``https://events.eu.pagerduty.com`` for accounts in the EU."""
    opsgenie_key: Annotated[SecretStr | None, Field(alias="OPSGENIE_API_KEY")] = None
    """The key of an API integration of Opsgenie or Jira Service Management."""
    opsgenie_url: Annotated[AnyHttpUrl, Field(alias="OPSGENIE_API_URL")] = AnyHttpUrl("https://api.opsgenie.com")
    """``https://api.atlassian.com/jsm/ops/integration`` for Jira Service Management, ``https://api.eu.opsgenie.com``
    for Opsgenie in the EU."""
    slack_webhook: Annotated[HttpSecret | None, Field(alias="SLACK_WEBHOOK_URL")] = None
    """The address of an incoming webhook; whoever knows it can post."""
    incident_webhook: Annotated[HttpSecret | None, Field(alias="INCIDENT_WEBHOOK_URL")] = None
    """Is sent every notice of an incident as JSON."""
    incident_webhook_secret: Annotated[SecretStr | None, Field(alias="INCIDENT_WEBHOOK_SECRET")] = None
    """Signs what the webhook is sent, by Standard Webhooks: ``whsec_`` and base64, or any text."""
    incident_webhook_format: Annotated[Literal["surefoot", "alertmanager"], Field(alias="INCIDENT_WEBHOOK_FORMAT")] = (
        "surefoot"
    )
    """Alertmanager's is version 4 of its webhook, for receivers that know that one."""
    apprise_urls: Annotated[SecretStr | None, Field(alias="APPRISE_URLS")] = None
    """Mail and a hundred other services, for ``surefoot[apprise]``: URLs as apprise has them, with spaces between."""

    @field_validator("payload_bucket")
    @classmethod
    def _s3_has_a_bucket(cls, bucket: str | None, info: ValidationInfo) -> str | None:
        if bucket is None and info.data.get("payload_store") == "s3":
            raise ValueError("is not set, and SUREFOOT_PAYLOAD_STORE=s3 needs it")
        return bucket

    @field_validator("kill_at")
    @classmethod
    def _only_tests_crash(cls, point: str | None, info: ValidationInfo) -> str | None:
        if point is not None and info.data.get("environment") != "test":
            raise ValueError("a worker kills itself in tests alone; unset it, or set SUREFOOT_ENV=test")
        CrashPoints.parse(point)
        return point

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings, env_settings, dotenv_settings, _StackSource(settings_cls))

    def missing_key(self, provider: str) -> str | None:
        """The variable to set before this provider can be called; None if it has a key or another address."""
        field = type(self).model_fields.get(f"{provider}_api_key")
        key: SecretStr | None = getattr(self, f"{provider}_api_key", None)
        reachable = field is None or getattr(self, f"{provider}_url") or (key and key.get_secret_value().strip())
        return None if field is None or reachable else field.alias


def variables() -> dict[str, FieldInfo]:
    """Every variable that is read, with its field."""
    return {field.alias or name: field for name, field in Settings.model_fields.items()}


def given() -> dict[str, str]:
    """What the environment and ``.env`` set, by variable name; the embedded stack lends nothing of that."""
    dotenv = {name.upper(): value for name, value in DotEnvSettingsSource(Settings).env_vars.items() if value}
    return {name: value for name, value in {**dotenv, **os.environ}.items() if value}


def _refuse_unknown() -> None:
    known = variables()
    for name in sorted(given().keys() - known.keys()):
        if name.startswith("SUREFOOT_"):
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise InvalidInput(f"unknown setting {name}{hint}")


def _name(part: int | str) -> str:
    """The variable of a field."""
    field = Settings.model_fields.get(str(part))
    return str(part) if field is None else field.alias or str(part)


def load(**given: Any) -> Settings:  # noqa: ANN401
    """Read the settings from the environment, ``.env`` and the running embedded stack, in that order.

    Raises ``InvalidInput`` that names every variable that is missing, unknown or wrong.
    """
    _refuse_unknown()
    try:
        return Settings(**given)
    except ValidationError as error:
        problems = [
            f"{'.'.join(map(_name, problem['loc']))}: "
            + ("is not set" if problem["type"] == "missing" else problem["msg"].removeprefix("Value error, "))
            for problem in error.errors(include_input=False, include_url=False)
        ]
        missing = any(problem["type"] == "missing" for problem in error.errors())
        hint = " (no stack is up in the state folder; `./starter.py up` runs all that is needed)" if missing else ""
        raise InvalidInput("; ".join(problems) + hint) from None
