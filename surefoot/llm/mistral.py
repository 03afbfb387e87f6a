"""Mistral behind ``ModelPort``, over Mistral's SDK."""

from collections.abc import AsyncGenerator
from functools import cached_property

import httpx2
from mistralai.client import Mistral, models
from mistralai.client.errors import MistralError, NoResponseError

from surefoot.contracts.models import Prompt, name_of
from surefoot.errors import ProviderFailure
from surefoot.llm import errors, mistral_request
from surefoot.llm.mistral_answer import Answer
from surefoot.llm.parts import json_object
from surefoot.llm.streaming import StreamedModel

_NAME = "Mistral"


class MistralModel(StreamedModel[models.CompletionChunk]):
    """Mistral's models. One request a call: the SDK repeats nothing unless told to."""

    provider = _NAME

    @cached_property
    def _sdk(self) -> Mistral:
        return Mistral(
            api_key=self._key,
            server_url=self._base_url,
            client=self._http.blocking,
            async_client=self._http.waiting,
        )

    def _answer(self) -> Answer:
        return Answer()

    async def _chunks(self, prompt: Prompt) -> AsyncGenerator[models.CompletionChunk]:
        messages, tools = mistral_request.messages(prompt), mistral_request.tools(prompt)
        streaming = False
        try:
            stream = await self._sdk.chat.stream_async(
                model=name_of(prompt.model),
                messages=[*messages],
                tools=tools,
                temperature=mistral_request.temperature(prompt),
                max_tokens=prompt.max_output_tokens,
            )
            async with stream:
                async for event in stream:
                    streaming = True
                    yield event.data
        except MistralError as error:
            raise self._answered(error, streaming=streaming) from None
        except httpx2.RequestError as error:
            raise errors.unreached(_NAME, error) from None
        except (ValueError, NoResponseError) as error:  # what the SDK's parsing raises for odd JSON
            raise errors.broken_off(_NAME, errors.redacted(str(error), self._key)) from None

    def _answered(self, error: MistralError, *, streaming: bool) -> ProviderFailure:
        said = errors.redacted(_message(error), self._key)
        if 200 <= error.status_code < 300:
            return errors.broken_off(_NAME, said)
        wait = errors.wait_asked_for(error.headers)
        return errors.answered(_NAME, error.status_code, said, retry_after=wait, streaming=streaming)


def _message(error: MistralError) -> str:
    """The provider's own words, or the body as it came."""
    body = json_object(error.body) or {}
    return str(body.get("message") or body.get("detail") or error.body or error.message)
