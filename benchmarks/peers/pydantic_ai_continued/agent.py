"""The agent, and how it goes on in another history."""

from pydantic_ai import RunContext
from pydantic_ai.durable_exec.temporal import TemporalDurability
from temporalio import workflow

from benchmarks.peers.pydantic_ai.agent import reader


def _go_on(context: RunContext) -> None:
    workflow.continue_as_new(args=["", context.messages])


agent = reader(TemporalDurability(continue_as_new=_go_on))
