"""Serves the OpenAI Agents SDK's agent."""

from datetime import timedelta

from temporalio.openai_agents import ModelActivityParameters, OpenAIAgentsPlugin

from benchmarks.peers.openai_agents.model import ScriptedProvider
from benchmarks.peers.openai_agents.tool import read_page
from benchmarks.peers.openai_agents.workflow import Bench
from benchmarks.peers.serving import serve

if __name__ == "__main__":
    calls = ModelActivityParameters(start_to_close_timeout=timedelta(seconds=30))
    plugin = OpenAIAgentsPlugin(model_params=calls, model_provider=ScriptedProvider(), add_temporal_spans=False)
    serve(Bench, plugin, [read_page])
