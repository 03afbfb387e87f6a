"""The scripted model."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from agents import Model, ModelProvider, ModelResponse, Usage
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

from benchmarks.peers.script import asked_next
from benchmarks.workloads import ANSWER, TOOL

Items = str | list[Mapping[str, Any]]  # a mapping's values are whatever the Responses API has there


class Scripted(Model):
    """Asks for pages, then answers."""

    async def get_response(
        self, system_instructions: str | None, input: Items, *_: object, **__: object
    ) -> ModelResponse:
        output = _calls(input) or [_message()]
        return ModelResponse(output=output, usage=Usage(), response_id=None)

    def stream_response(self, *_: object, **__: object) -> AsyncIterator[Any]:
        raise NotImplementedError("the workloads are not streamed")


class ScriptedProvider(ModelProvider):
    """Has one model, whatever its name."""

    def get_model(self, model_name: str | None) -> Model:
        return Scripted()


def _calls(told: Items) -> list[ResponseFunctionToolCall]:
    items = [{"role": "user", "content": told}] if isinstance(told, str) else told
    workload = next(str(item["content"]) for item in items if item.get("role") == "user")
    read = sum(item.get("type") == "function_call_output" for item in items)
    return [_call(arguments) for arguments in asked_next(workload, read)]


def _call(arguments: dict[str, int]) -> ResponseFunctionToolCall:
    return ResponseFunctionToolCall(
        type="function_call",
        name=TOOL,
        arguments=json.dumps(arguments),
        call_id=f"call-{arguments['page']}",
        id=f"item-{arguments['page']}",
        status="completed",
    )


def _message() -> ResponseOutputMessage:
    text = ResponseOutputText(type="output_text", text=ANSWER, annotations=[])
    return ResponseOutputMessage(type="message", id="answer", role="assistant", status="completed", content=[text])
