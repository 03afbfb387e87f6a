"""The workflow around the agent."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from pydantic_ai.messages import ModelMessage

    from benchmarks.peers.pydantic_ai.agent import UNLIMITED
    from benchmarks.peers.pydantic_ai_continued.agent import agent


@workflow.defn
class Bench:
    """One run, or the part of it that one history holds."""

    __pydantic_ai_agents__ = (agent,)

    @workflow.run
    async def run(self, workload: str, said: list[ModelMessage] | None = None) -> str:
        answered = await agent.run(workload or None, message_history=said, usage_limits=UNLIMITED)
        return str(answered.output)
