"""The workflow around the agent."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from agents import RunConfig, Runner

    from benchmarks.peers.openai_agents.agent import agent
    from benchmarks.workloads import named

UNTRACED = RunConfig(tracing_disabled=True)


@workflow.defn
class Bench:
    """One run."""

    @workflow.run
    async def run(self, workload: str) -> str:
        turns = named(workload).turns
        return str((await Runner.run(agent, input=workload, max_turns=turns, run_config=UNTRACED)).final_output)
