"""Checks what Surefoot needs from its surroundings, each finding with what to do about it."""

import platform
import sys
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from importlib import metadata

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, DescribeTaskQueueRequest
from temporalio.client import Client

from surefoot.attributes import ALL
from surefoot.client.connection import connect, translated
from surefoot.client.payloads import try_out
from surefoot.contracts.base import Message
from surefoot.contracts.incidents import Severity
from surefoot.contracts.models import provider_of
from surefoot.contracts.profiles import Profile
from surefoot.embedded import binaries
from surefoot.errors import InvalidInput, SurefootError
from surefoot.incidents import oncall
from surefoot.incidents.channels import checkup
from surefoot.incidents.channels.registry import VARIABLES
from surefoot.profiles import Profiles
from surefoot.reliability.health import Health, look
from surefoot.settings import Settings, load
from surefoot.tools.registry import ToolRegistry

PYTHONS = ((3, 11), (3, 13))
PACKAGES = ("temporalio", "redis", "google-genai", "mistralai", "pydantic")
RETENTION = timedelta(days=7)
"""Below this a completed idempotency key is forgotten too soon for most (design section 4)."""
POLLED = timedelta(seconds=75)
"""A worker asks for work once a minute at least; Temporal lists it for five after it has gone."""
REDIS = (6, 2)
CLOCK = timedelta(seconds=5)
"""Incidents and approvals show times of several machines."""


class Verdict(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(Message):
    """One fact, what it means, and what to do about it."""

    subject: str
    verdict: Verdict
    fact: str
    remedy: str = ""


def ok(subject: str, fact: str) -> Finding:
    return Finding(subject=subject, verdict=Verdict.OK, fact=fact)


def warn(subject: str, fact: str, remedy: str) -> Finding:
    return Finding(subject=subject, verdict=Verdict.WARN, fact=fact, remedy=remedy)


def fail(subject: str, fact: str, remedy: str = "") -> Finding:
    return Finding(subject=subject, verdict=Verdict.FAIL, fact=fact, remedy=remedy)


async def examine(*, send_test_notification: bool = False) -> tuple[Finding, ...]:
    """Every finding; what cannot be looked at, since something before it fails, is left out.

    Nobody is told of anything unless ``send_test_notification``: then every channel is, and that it is a test.
    """
    here = [_python(sys.version_info[:2]), _packages(), *_programs()]
    try:
        settings = load()
    except InvalidInput as error:
        return (*here, fail("settings", str(error)))
    checks: list[Callable[[Settings], Awaitable[list[Finding]]]] = [_temporal, _redis, _payloads, _profiles]
    found = [finding for check in checks for finding in await check(settings)]
    told = await _channels(settings, send=send_test_notification)
    return (*here, ok("settings", f"environment {settings.environment}"), *found, *told)


def _python(version: tuple[int, ...]) -> Finding:
    lowest, highest = (".".join(map(str, one)) for one in PYTHONS)
    if PYTHONS[0] <= version <= PYTHONS[1]:
        return ok("Python", platform.python_version())
    return fail("Python", platform.python_version(), f"use {lowest} to {highest}")


def _packages() -> Finding:
    return ok("packages", ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES))


def _programs() -> list[Finding]:
    """The embedded stack's; a real server needs none of them here."""
    found = []
    for subject, find in (("temporal program", binaries.temporal), ("redis program", binaries.redis_server)):
        try:
            found.append(ok(subject, str(find())))
        except binaries.MissingProgram as error:
            found.append(warn(subject, str(error), "only `./starter.py up`, the demo and the tests need it"))
    return found


async def _temporal(settings: Settings) -> list[Finding]:
    try:
        client = await connect(settings)
        with translated("the namespace"):
            return [
                ok("Temporal", client.service_client.config.target_host),
                await _retention(client),
                await _search_attributes(client),
                await _workers(client, settings),
            ]
    except SurefootError as error:
        return [fail("Temporal", str(error))]


async def _retention(client: Client) -> Finding:
    asked = DescribeNamespaceRequest(namespace=client.namespace)
    kept = (await client.workflow_service.describe_namespace(asked)).config.workflow_execution_retention_ttl
    retention, subject = kept.ToTimedelta(), "retention"
    fact = f"namespace {client.namespace!r} remembers completed runs for {retention.total_seconds() / 86_400:g} days"
    if retention >= RETENTION:
        return ok(subject, fact)
    longer = f"temporal operator namespace update --retention 720h -n {client.namespace}"
    return warn(subject, fact, f"a key that comes later runs again; `{longer}`")


async def _search_attributes(client: Client) -> Finding:
    asked = ListSearchAttributesRequest(namespace=client.namespace)
    known = (await client.operator_service.list_search_attributes(asked)).custom_attributes
    missing = [key.name for key in ALL if key.name not in known]
    if not missing:
        return ok("search attributes", "registered")
    create = " ".join(f"--name {name} --type Keyword" for name in missing)
    remedy = f"temporal operator search-attribute create -n {client.namespace} {create}"
    return fail("search attributes", f"{', '.join(missing)} not registered, so no run can start", f"`{remedy}`")


async def _workers(client: Client, settings: Settings) -> Finding:
    asked = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=settings.task_queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    pollers = (await client.workflow_service.describe_task_queue(asked)).pollers
    since = datetime.now(UTC) - POLLED
    workers = {one.identity for one in pollers if one.last_access_time.ToDatetime(UTC) >= since}
    fact = f"{len(workers)} seen on task queue {settings.task_queue!r} in the last {POLLED.total_seconds():g} s"
    return ok("workers", fact) if workers else warn("workers", fact, "runs wait until one is started (worker.py)")


async def _redis(settings: Settings) -> list[Finding]:
    try:
        return redis_findings(await look(settings))
    except SurefootError as error:
        return [fail("Redis", f"{error}", "`./starter.py up` runs one")]


def redis_findings(health: Health) -> list[Finding]:
    """What Redis's own words mean for the promises that rest on it."""
    version = ".".join(map(str, health.version))
    ahead = health.clock_ahead.total_seconds()
    clock = f"Redis's is {abs(ahead):.1f} s {'ahead' if ahead > 0 else 'behind'}"
    return [
        ok("Redis", version) if health.version >= REDIS else fail("Redis", version, "use 6.2 or newer"),
        ok("eviction", health.eviction)
        if health.eviction == "noeviction"
        else fail(
            "eviction", health.eviction, "claims and budgets could vanish; `CONFIG SET maxmemory-policy noeviction`"
        ),
        ok("persistence", "append-only file on")
        if health.append_only
        else warn("persistence", "append-only file off", "a restart forgets claims; `CONFIG SET appendonly yes`"),
        ok("clock", clock)
        if abs(health.clock_ahead) <= CLOCK
        else warn("clock", clock, "synchronise both machines (NTP)"),
    ]


async def _payloads(settings: Settings) -> list[Finding]:
    """Where large ones go, once that has been tried."""
    places = {"inline": "stay in histories", "redis": "go to Redis", "s3": f"go to bucket {settings.payload_bucket!r}"}
    try:
        await try_out(settings)
    except SurefootError as error:
        return [fail("payloads", str(error))]
    return [ok("payloads", f"those of {settings.payload_threshold} bytes and more {places[settings.payload_store]}")]


async def _channels(settings: Settings, *, send: bool) -> list[Finding]:
    checked = await checkup.check(settings, send=send)
    if not checked:
        remedy = f"set one of {', '.join(VARIABLES.values())}"
        told = warn("channels", "none is set up, so nobody is told of incidents", remedy)
        return [told, *_on_call(settings, ()), *_hints(settings)]
    names = [one.channel for one in checked]
    return [*map(_channel, checked), *_on_call(settings, names), *_hints(settings)]


def _on_call(settings: Settings, channels: Collection[str]) -> list[Finding]:
    """Who is told, by the channels that are set up; without any, that has been told already."""
    try:
        policy = oncall.load(settings.oncall)
    except InvalidInput as error:
        return [fail("on-call", str(error))]
    untold = [one.name for one in Severity if policy.told(one) and not policy.escalation(one, channels).levels]
    if untold and channels:
        fact = f"nobody is told of {', '.join(untold)}: none of the channels of its levels is set up"
        return [warn("on-call", fact, "set up one of them, or name others in the file of SUREFOOT_ONCALL")]
    return [ok("on-call", str(settings.oncall or "the shipped policy"))]


def _hints(settings: Settings) -> list[Finding]:
    model = settings.incident_model
    if model is None:
        return []
    variable = settings.missing_key(provider_of(model))
    if variable:
        return [
            warn("incident model", f"{variable} is not set, so {model} adds no hint to incidents", f"set {variable}")
        ]
    return [ok("incident model", model)]


def _channel(one: checkup.Checked) -> Finding:
    subject = f"channel {one.channel}"
    if not one.works:
        return fail(subject, one.fact, one.remedy)
    return warn(subject, one.fact, one.remedy) if one.remedy else ok(subject, one.fact)


async def _profiles(settings: Settings) -> list[Finding]:
    tools = ToolRegistry.from_settings(settings)
    try:
        known = Profiles(settings.agents_dir, tools, settings.fallback_model)
        return [finding for name in known.names() for finding in _profile(settings, known, name)]
    except SurefootError as error:
        return [fail("profiles", str(error))]
    finally:
        await tools.aclose()


def _profile(settings: Settings, known: Profiles, name: str) -> list[Finding]:
    subject = f"profile {name}"
    try:
        profile = known.load(name)
    except SurefootError as error:
        return [fail(subject, str(error))]
    return [_keys(settings, subject, profile)]


def _keys(settings: Settings, subject: str, profile: Profile) -> Finding:
    for models, judge in ((profile.ladder, fail), (profile.fallback, warn)):
        for provider in dict.fromkeys(map(provider_of, models)):
            if variable := settings.missing_key(provider):
                return judge(subject, f"{variable} is not set, so {provider!r} cannot be called", f"set {variable}")
    return ok(subject, f"{', '.join(profile.ladder)}; {len(profile.tools)} tools")
