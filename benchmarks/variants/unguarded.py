"""The worker of Surefoot with guards that do nothing and transcripts that keep nothing: what is left is the workflow,
the activities and their messages."""

from datetime import UTC, datetime, timedelta

import uvloop
from pydantic import JsonValue
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.guardrails import GuardrailActivities
from activities.llm import LlmActivities
from activities.profiles import ProfileActivities
from activities.small_calls import Unheard
from activities.tools import ToolActivities
from benchmarks.variants import serving
from benchmarks.variants.reader import PROVIDER, Reader, read_page
from benchmarks.variants.surefoot import arguments, settings
from surefoot import logs
from surefoot.client.connection import connect
from surefoot.contracts.breakers import BreakerPolicy, Permit, Verdict
from surefoot.contracts.budgets import Charge, Hold
from surefoot.contracts.guardrails import Answer
from surefoot.contracts.models import ModelBooking
from surefoot.contracts.tools import Claim, ToolBooking
from surefoot.llm.pricing import GenaiPricing
from surefoot.ports import Addition, Admitted, Fate, Proceed, Receipt, Replay, Reservation, Reserved
from surefoot.profiles import Profiles
from surefoot.tools.registry import ToolRegistry
from workflows.agent import AgentWorkflow
from workflows.sandbox import runner

DONE = Receipt()


class Unguarded:
    """``Guards`` that allow everything and remember nothing."""

    async def reserve(self, reservation: Reservation) -> Reserved:
        rung = reservation.rungs[0]
        hold = Hold(
            id=reservation.hold_id,
            tenant=reservation.tenant,
            scopes=reservation.scopes,
            model=rung.model,
            bound=rung.bound,
            output_tokens=reservation.output_tokens,
            at=datetime.now(UTC),
        )
        return Reserved(Answer.GO, 0, hold, tight_scope=None, retry_after=None, breakers={}, epoch="")

    async def release(self, hold: Hold) -> None:
        return None

    async def close_hold(self, hold: Hold) -> Receipt:
        return DONE

    async def begin_model_call(self, hold: Hold, attempt: int, breaker: BreakerPolicy) -> Admitted:
        return Admitted(Permit(name=hold.model, generation=0))

    async def end_model_call(
        self,
        permit: Permit,
        verdict: Verdict,
        retry_after: timedelta | None,
        charge: Charge | None,
        took: timedelta | None = None,
        said: Addition | None = None,
    ) -> Receipt:
        return DONE

    async def begin_tool_call(
        self,
        *,
        tool: str,
        breaker: BreakerPolicy,
        effect_key: str | None,
        owner: str,
        attempt: int,
        lease: timedelta,
        mark_sent: bool,
        lands_within: timedelta,
        tenant: str = "",
        in_doubt: bool = False,
    ) -> Proceed:
        claim = Claim(key=effect_key, owner=owner, fence=1, attempts=1) if effect_key else None
        return Proceed(claim, Permit(name=tool, generation=0))

    async def mark_sent(self, claim: Claim, *, lands_within: timedelta) -> Claim:
        return claim

    async def renew(self, claim: Claim, lease: timedelta) -> bool:
        return True

    async def complete_tool_call(
        self, claim: Claim | None, content: JsonValue, permit: Permit | None, took: timedelta | None = None
    ) -> Receipt:
        return DONE

    async def fail_tool_call(
        self,
        claim: Claim | None,
        permit: Permit | None,
        verdict: Verdict,
        retry_after: timedelta | None,
        *,
        fate: Fate,
        reached: bool = True,
        took: timedelta | None = None,
    ) -> Receipt:
        return DONE

    async def follow(self, effect_key: str, within: timedelta) -> Replay | None:
        return None

    async def book(self, booking: ModelBooking | ToolBooking) -> Receipt:
        return DONE


async def main() -> None:
    found = settings(**vars(arguments().parse_args()))
    logs.configure(found)
    client = await connect(found)
    tools, guards, pricing = ToolRegistry.from_settings(found, (read_page,)), Unguarded(), GenaiPricing()
    worker = Worker(
        client,
        task_queue=found.task_queue,
        workflows=[AgentWorkflow],
        activities=[
            ProfileActivities(Profiles(found.agents_dir, tools), heartbeat=found.heartbeat).pin,
            GuardrailActivities(guards, pricing).check,
            LlmActivities({PROVIDER: Reader()}, guards, pricing, Unheard()).generate,
            *ToolActivities(tools, guards).activities(),
        ],
        workflow_runner=runner() if found.sandbox else UnsandboxedWorkflowRunner(),
        max_concurrent_activities=found.max_activities,
        sticky_queue_schedule_to_start_timeout=found.sticky,
    )
    await serving.served(worker)


if __name__ == "__main__":
    serving.run(main, uvloop.new_event_loop)
