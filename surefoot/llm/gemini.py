"""Gemini behind ``ModelPort``, over Google's SDK."""

from collections.abc import AsyncGenerator
from functools import cached_property

import httpx2
from google import genai
from google.genai import types
from google.genai.errors import APIError

from surefoot.contracts.models import Prompt, name_of
from surefoot.errors import ProviderFailure
from surefoot.llm import errors, gemini_request
from surefoot.llm.gemini_answer import Answer
from surefoot.llm.streaming import StreamedModel
from surefoot.tls import trusted

_NAME = "Gemini"
_VERSION = "v1beta"
"""The version that the recordings speak; the SDK's own default is another."""


class GeminiModel(StreamedModel[types.GenerateContentResponse]):
    """Google's models. One request a call: the SDK repeats nothing."""

    provider = _NAME

    @cached_property
    def _sdk(self) -> genai.Client:
        options = types.HttpOptions(
            base_url=self._base_url,
            api_version=_VERSION,
            httpx_client=self._http.blocking,
            httpx_async_client=self._http.waiting,
            async_client_args={"ssl": trusted()},  # for its websockets, which nobody here uses; it reads its own if not
            retry_options=types.HttpRetryOptions(attempts=1),
        )
        return genai.Client(enterprise=False, api_key=self._key, http_options=options)

    def _answer(self) -> Answer:
        return Answer()

    async def _chunks(self, prompt: Prompt) -> AsyncGenerator[types.GenerateContentResponse]:
        model, contents, config = name_of(prompt.model), gemini_request.contents(prompt), gemini_request.config(prompt)
        streaming = False
        try:
            stream = await self._sdk.aio.models.generate_content_stream(
                model=model, contents=[*contents], config=config
            )
            async for chunk in stream:
                streaming = True
                yield chunk
        except APIError as error:
            raise self._answered(error, streaming=streaming) from None
        except httpx2.RequestError as error:
            raise errors.unreached(_NAME, error) from None
        except (ValueError, TypeError, AttributeError) as error:  # what the SDK's parsing raises for odd JSON
            raise errors.broken_off(_NAME, errors.redacted(str(error), self._key)) from None

    def _answered(self, error: APIError, *, streaming: bool) -> ProviderFailure:
        headers = error.response.headers if error.response is not None else {}
        return errors.answered(
            _NAME,
            error.code,
            errors.redacted(f"{error.status}: {error.message}", self._key),
            retry_after=errors.wait_asked_for(headers, error.details),
            streaming=streaming,
        )
