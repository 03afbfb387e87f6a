"""The worker: wires adapters into activities and serves workflows until it is told to stop."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import structlog
import uvloop
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.cutting import Cutting
from activities.enrichment import EnrichmentActivities
from activities.guardrails import GuardrailActivities
from activities.incidents import IncidentActivities
from activities.llm import LlmActivities
from activities.notifications import NotificationActivities
from activities.post_incident import PostIncidentActivities
from activities.profiles import ProfileActivities
from activities.routing import RoutingActivities
from activities.small_calls import SmallCalls, Unheard
from activities.tools import ToolActivities
from activities.triage import TriageActivities
from activities.watching import WatchActivities
from surefoot import logs
from surefoot.build import build_id
from surefoot.cli.parsing import refusal
from surefoot.client.connection import connect
from surefoot.client.links import link
from surefoot.client.payloads import try_out
from surefoot.contracts.profiles import Profile
from surefoot.crash_points import CrashPoints
from surefoot.errors import SurefootError, Unreachable
from surefoot.health.server import probed
from surefoot.incidents import oncall
from surefoot.incidents.channels.registry import channels
from surefoot.incidents.evidence import TemporalEvidence
from surefoot.incidents.runbook import RunbookWriter
from surefoot.incidents.runs import TemporalRuns
from surefoot.incidents.shelf import Shelf
from surefoot.incidents.surroundings import Surroundings
from surefoot.incidents.triage import Triage
from surefoot.llm.pricing import GenaiPricing
from surefoot.llm.providers import providers
from surefoot.ports import ChannelPort, GuardOffice, ModelPort
from surefoot.profiles import Profiles
from surefoot.reliability.blobs import RedisBlobs
from surefoot.reliability.guards import RedisGuards
from surefoot.reliability.office import RedisOffice
from surefoot.reliability.routes import RedisRoutes
from surefoot.reliability.streams import RedisTextStream
from surefoot.settings import Settings, load
from surefoot.tools.contract import Design
from surefoot.tools.http import Backend
from surefoot.tools.read_on import read_on
from surefoot.tools.registry import DESIGNS, ToolRegistry
from workflows import policies
from workflows.agent import AgentWorkflow
from workflows.failure_handler import FailureHandlerWorkflow
from workflows.sandbox import runner

WORKFLOWS = (AgentWorkflow, FailureHandlerWorkflow)
READY = "ready"
"""Printed when the worker polls."""


@asynccontextmanager
async def composed(
    settings: Settings, client: Client, designs: Iterable[Design[Backend]] = DESIGNS, **models: ModelPort
) -> AsyncIterator[Worker]:
    """A worker with everything that the settings ask for; ``models`` adds ports of other providers by name."""
    async with AsyncExitStack() as open_things:
        tools = ToolRegistry.from_settings(settings, designs)
        open_things.push_async_callback(tools.aclose)
        ports = providers(settings, **models)
        open_things.push_async_callback(ports.aclose)
        url = settings.redis_url.get_secret_value()
        guards = RedisGuards.connect(
            url, prefix=settings.key_prefix, timeout=settings.store_timeout, at_hand=settings.transcript_memory
        )
        open_things.push_async_callback(guards.close)
        profiles = Profiles(settings.agents_dir, tools, settings.fallback_model)
        usable = _usable(profiles)
        pricing = GenaiPricing()
        crash = CrashPoints.parse(settings.kill_at)
        blobs = RedisBlobs(guards.store, settings.key_prefix)
        cutting = Cutting(blobs, read_on.offered)
        toolbox = {**tools, read_on.name: read_on.connect(blobs)}
        calls = ToolActivities(toolbox, guards, crash, scissors=cutting)
        checks = GuardrailActivities(guards, pricing)
        words = RedisTextStream(guards.store, settings.key_prefix)
        office = RedisOffice(guards.store, settings.key_prefix)
        small_calls = SmallCalls(LlmActivities(ports, guards, pricing, Unheard()), guards, pricing)
        detours = RoutingActivities(small_calls, RedisRoutes(guards.store, settings.key_prefix))
        pagers = channels(settings)
        open_things.push_async_callback(pagers.aclose)
        yield Worker(
            client,
            task_queue=settings.task_queue,
            workflows=WORKFLOWS,
            activities=[
                ProfileActivities(profiles, heartbeat=settings.heartbeat).pin,
                checks.check,
                checks.close_books,
                LlmActivities(ports, guards, pricing, words, crash, guards.transcripts).generate,
                *calls.activities(),
                *incident_activities(settings, client, office, pagers, crash, usable),
                EnrichmentActivities(small_calls, settings.incident_model).enrich,
                detours.reroute,
                detours.route_back,
            ],
            build_id=build_id(),
            workflow_runner=runner() if settings.sandbox else UnsandboxedWorkflowRunner(),
            max_concurrent_activities=settings.max_activities,
            sticky_queue_schedule_to_start_timeout=settings.sticky,
            graceful_shutdown_timeout=_longest_deadline(usable) + policies.MODEL_OVERHEAD,
        )


def incident_activities(
    settings: Settings,
    client: Client,
    office: GuardOffice,
    channels: Mapping[str, ChannelPort],
    crash: CrashPoints,
    profiles: Iterable[Profile] = (),
) -> list[Callable[..., Awaitable[object]]]:
    """What incidents ask for, in the order of their life."""
    triage = Triage(
        oncall.load(settings.oncall),
        channels,
        lambda id: link(settings, client.namespace, id),
        enriches=settings.incident_model is not None,
    )
    runs = TemporalRuns(client, task_queue=settings.task_queue)
    shelf = Shelf(settings.runbook_dir) if settings.runbook_dir else None
    writer = RunbookWriter(surroundings=Surroundings.of(profiles), refusal=refusal)
    return [
        TriageActivities(triage).triage,
        NotificationActivities(channels, crash).send,
        IncidentActivities(TemporalEvidence(client), office, writer, crash, shelf).compose,
        WatchActivities(office, runs, crash).watch,
        PostIncidentActivities(runs, shelf, crash).close,
    ]


def _usable(profiles: Profiles) -> list[Profile]:
    usable = []
    for name in profiles.names():
        try:
            usable.append(profiles.load(name))
        except SurefootError as error:
            structlog.get_logger().warning("profile cannot be used", profile=name, reason=str(error))
    return usable


def _longest_deadline(profiles: Iterable[Profile]) -> timedelta:
    """What is in flight when the worker is asked to stop may take this long to end well."""
    usable = list(profiles)
    spans = [tool.span for profile in usable for tool in profile.tools]
    return max([*spans, *(profile.limits.model_deadline for profile in usable)], default=timedelta(minutes=5))


async def try_out_payloads(settings: Settings) -> None:
    """Raises ``InvalidInput`` when large payloads have no place; one that does not answer now may come back."""
    try:
        await try_out(settings)
    except Unreachable as error:
        structlog.get_logger().warning("large payloads cannot be kept yet", reason=str(error))


def settle() -> None:
    """Keep the collector of cycles away from what was loaded to start, which lives as long as the worker."""
    gc.collect()
    gc.freeze()


async def serve(settings: Settings) -> None:
    """Run a worker until SIGTERM or SIGINT, then let it finish what it has begun."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    client = await connect(settings)
    await try_out_payloads(settings)
    async with composed(settings, client) as worker, probed(settings), worker:
        settle()
        print(READY, flush=True)
        await stopped.wait()


def main() -> None:
    """Exit code 0 after a stop, 2 for settings that cannot be used, 4 when Temporal does not answer."""
    code = 0
    try:
        settings = load()
        logs.configure(settings)
        uvloop.run(serve(settings))
    except SurefootError as error:
        print(f"worker: {error}", file=sys.stderr)
        code = 4 if isinstance(error, Unreachable) else 2
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # a Temporal client can abort at interpreter exit: temporalio/sdk-python#300


if __name__ == "__main__":
    main()
