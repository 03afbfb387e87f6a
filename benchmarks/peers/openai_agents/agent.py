"""The agent, as in the README of Temporal's plugin for the OpenAI Agents SDK.

It is passed through the workflow sandbox as a module of its own, which takes a tenth less CPU a run than to make it in
each workflow, as the README does.
"""

from datetime import timedelta

from agents import Agent
from temporalio.openai_agents.workflow import activity_as_tool

from benchmarks.peers.openai_agents.tool import read_page

agent = Agent(
    name="Reader",
    instructions="Read every page, then answer.",
    tools=[activity_as_tool(read_page, start_to_close_timeout=timedelta(seconds=10))],
)
