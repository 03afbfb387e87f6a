"""The scripted model, and the tool that it calls."""

from collections.abc import Iterator

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models.function import AgentInfo, FunctionModel

from benchmarks import workloads
from benchmarks.peers.script import asked_next


async def read_page(page: int, size: int) -> str:
    """Read a page, cut to so many bytes."""
    return workloads.page(page, size)


def _answer(messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
    parts = list(_told(messages))
    workload = next(str(part.content) for part in parts if isinstance(part, UserPromptPart))
    read = sum(isinstance(part, ToolReturnPart) for part in parts)
    calls = [ToolCallPart(workloads.TOOL, arguments) for arguments in asked_next(workload, read)]
    return ModelResponse(calls or [TextPart(workloads.ANSWER)])


def _told(messages: list[ModelMessage]) -> Iterator[ModelRequestPart]:
    """What the model was told, other than by itself."""
    for message in messages:
        if isinstance(message, ModelRequest):
            yield from message.parts


model = FunctionModel(_answer, model_name="scripted")
