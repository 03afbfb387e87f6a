"""The workflow around the agent."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from benchmarks.peers.pydantic_ai.agent import UNLIMITED, agent


@workflow.defn
class Bench:
    """One run."""

    __pydantic_ai_agents__ = (agent,)

    @workflow.run
    async def run(self, workload: str) -> str:
        return str((await agent.run(workload, usage_limits=UNLIMITED)).output)
