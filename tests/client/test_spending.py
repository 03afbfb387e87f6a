"""What calls have cost that gave no answer, read from a run's history."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from surefoot import attributes
from surefoot.client import SurefootClient
from surefoot.contracts.budgets import Hold
from surefoot.contracts.conversation import UserMessage
from surefoot.contracts.models import ModelCall, Prompt
from surefoot.contracts.runs import RunRequest
from surefoot.errors import CircuitOpen, ErrorType, ModelFailed, circuit_open, final, retryable
from tests.support.waiting import until

MODEL = "gemini:gemini-2.5-flash"
SILENCE = timedelta(milliseconds=400)


@workflow.defn(name="AgentWorkflow", sandboxed=False)
class OneCall:
    """A run whose only model call gets no answer."""

    @workflow.run
    async def run(self, request: RunRequest) -> None:
        hold = Hold(
            id=workflow.info().run_id,
            tenant=request.tenant,
            scopes=(),
            model=MODEL,
            bound=100,
            output_tokens=1,
            at=datetime.now(UTC),
        )
        prompt = Prompt(model=MODEL, system="Be kind.", messages=(UserMessage(text=request.prompt),))
        try:
            await workflow.execute_activity(
                "llm.generate",
                ModelCall(prompt=prompt, hold=hold, turn=1),
                schedule_to_close_timeout=SILENCE * 5,
                heartbeat_timeout=SILENCE,
                retry_policy=RetryPolicy(initial_interval=SILENCE / 10, maximum_attempts=2),
            )
        except ActivityError:
            return


@activity.defn(name="llm.generate")
async def ends_without_an_answer(call: ModelCall) -> None:
    """In the way that the prompt says, having spent 7 nano-dollars."""
    first = activity.info().attempt == 1
    match call.prompt.messages[0]:
        case UserMessage(text="lost"):
            activity.heartbeat(0, False, {"crossings": [], "cost": 7})
            await asyncio.sleep(SILENCE.total_seconds() * 10)
        case UserMessage(text="failed") if first:
            raise retryable(ErrorType.MODEL_UNAVAILABLE, "broken", ModelFailed(model=MODEL, message="broken", cost=3))
        case UserMessage(text="failed"):
            raise final(ErrorType.MODEL_REFUSED, "blocked", ModelFailed(model=MODEL, message="blocked", cost=7))
        case UserMessage(text="refused"):
            raise circuit_open(CircuitOpen(name=MODEL, cost=7))
        case _:
            raise final(ErrorType.BUDGET_EXHAUSTED, "no room")


@pytest.mark.parametrize(("end", "cost"), [("lost", 7), ("failed", 7), ("refused", 7), ("no detail", 0)])
async def test_what_a_call_without_an_answer_has_cost_counts_and_is_no_answer(
    temporal_client: Client, unique: str, end: str, cost: int
) -> None:
    client = SurefootClient(temporal_client, task_queue=unique)
    request = RunRequest(prompt=end, profile="support", key=unique, session=unique)
    async with Worker(
        temporal_client,
        task_queue=unique,
        workflows=[OneCall],
        activities=[ends_without_an_answer],
        workflow_runner=UnsandboxedWorkflowRunner(),
        graceful_shutdown_timeout=timedelta(0),
    ):
        await temporal_client.execute_workflow(
            OneCall.run,
            request,
            id=unique,
            task_queue=unique,
            search_attributes=attributes.of_new_run(request),
        )
    await until(lambda: client.runs(session=unique))
    (spent,) = await client.spending(unique, tenant=request.tenant)
    assert (spent.answers, spent.cost) == (0, cost)
