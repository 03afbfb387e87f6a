"""The scripted model in the same process, as a port like those of the real providers."""

from datetime import timedelta

from surefoot.contracts.breakers import Verdict
from surefoot.contracts.conversation import AssistantMessage, Part, TextPart, ThinkingPart
from surefoot.contracts.models import Generation, Prompt, name_of
from surefoot.errors import Fault, ProviderFailure
from surefoot.ports import OnText
from surefoot.simulator.pieces import pieces
from surefoot.simulator.script import Performance, perform

PROVIDER = "scripted"


class ScriptedModel:
    """A ``ModelPort`` of the provider ``scripted``: deterministic, and instantaneous, so never silent."""

    async def generate(self, prompt: Prompt, *, on_text: OnText, idle_limit: timedelta) -> Generation:
        performance = perform(prompt)
        if performance.blocked:
            raise ProviderFailure(
                "the answer was blocked for safety", fault=Fault.PERMANENT, verdict=Verdict.NEUTRAL, maybe_billed=True
            )
        for piece in pieces(performance.text):
            await on_text(piece)
        return Generation(
            message=AssistantMessage(provider=PROVIDER, parts=_parts(performance)),
            usage=performance.usage,
            model_version=name_of(prompt.model),
            finish=performance.finish,
        )


def _parts(performance: Performance) -> tuple[Part, ...]:
    parts: list[Part] = []
    if performance.thinking:
        parts.append(ThinkingPart(text=performance.thinking))
    if performance.text:
        parts.append(TextPart(text=performance.text))
    return (*parts, *performance.calls)
