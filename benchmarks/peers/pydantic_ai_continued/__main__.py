"""Serves the agent that continues as new."""

from pydantic_ai.durable_exec.temporal import PydanticAIPlugin

from benchmarks.peers.pydantic_ai_continued.workflow import Bench
from benchmarks.peers.serving import serve

if __name__ == "__main__":
    serve(Bench, PydanticAIPlugin())
