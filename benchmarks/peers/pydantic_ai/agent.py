"""The agent, with the durability that its documentation describes.

It is passed through the workflow sandbox as a module of its own, which takes 5 to 7 % less CPU a run than the
documentation's one file does.
"""

from pydantic_ai import Agent, FunctionToolset, UsageLimits
from pydantic_ai.durable_exec.temporal import TemporalDurability

from benchmarks.peers.pydantic_ai.model import model, read_page

UNLIMITED = UsageLimits(request_limit=None)
"""It stops at 50 model calls otherwise."""


def reader(durability: TemporalDurability) -> Agent:
    return Agent(
        model,
        instructions="Read every page, then answer.",
        name="reader",
        toolsets=[FunctionToolset([read_page], id="pages")],
        capabilities=[durability],
    )


agent = reader(TemporalDurability())
