"""What a run wants a model for: the next answer, or a summary of what it has said before."""

from dataclasses import dataclass
from typing import Protocol

from surefoot.contracts.guardrails import BYTES_A_TOKEN, GuardrailDecision, OpenCircuit, PromptSize
from surefoot.contracts.models import ModelCall, ModelReply, Preamble, Prompt, ToolOffer, provider_of
from surefoot.contracts.runs import Phase
from surefoot.contracts.tools import ToolContract
from surefoot.errors import ErrorType
from workflows import policies, tool_words
from workflows.run import Run

KEPT = Preamble(system="")
"""Stands for one that is kept with the conversation."""
MAX_INPUT = 1_800_000
"""Bytes of the messages that travel in a model activity's input; Temporal takes 2 MB."""


@dataclass(frozen=True)
class Wanted:
    """What the guardrails are asked for."""

    ladder: tuple[str, ...]
    fallback: tuple[str, ...]
    size: PromptSize
    output_tokens: int
    heeds_context: bool = True
    """A prompt that nears the context of the model is to be refused."""
    essential: bool = True
    """The run ends if it gets no answer. Otherwise nobody is told of a refusal, nor of which model it was."""


class TooLong(Exception):
    """A prompt is too long for a model's context: as far as that can be reckoned, or as the provider says."""

    kind = ErrorType.MODEL_REFUSED
    """The run's end, where there is nothing that could be summarised."""

    def __init__(self, model: str, context_tokens: int, *, refused: bool = False) -> None:
        super().__init__(f"the conversation is too long for {model}, which takes {context_tokens:,} tokens")
        self.context_tokens = context_tokens
        self.refused = refused
        """The provider says so."""
        self._provider = provider_of(model)

    def surprises(self, size: PromptSize, output_tokens: int) -> bool:
        """Whether a provider counts more than was reckoned, so that a byte is better taken for a token."""
        return self.refused and not size.nears(self.context_tokens, self._provider, output_tokens)


class TooLarge(TooLong):
    """What has to be sent is more than a message can hold: a long conversation of which nothing is kept any more."""

    kind = ErrorType.PAYLOAD_TOO_LARGE

    def __init__(self, model: str, size: int) -> None:
        super().__init__(model, MAX_INPUT // BYTES_A_TOKEN, refused=True)
        self._size = size

    def __str__(self) -> str:
        return f"what has to be sent is {self._size} bytes; at most {MAX_INPUT} fit"

    def surprises(self, size: PromptSize, output_tokens: int) -> bool:
        return False


class Errand(Protocol):
    """One thing that a model is wanted for. It may be asked for again, of another model."""

    @property
    def wanted(self) -> Wanted: ...

    @property
    def phase(self) -> Phase: ...

    def call(self, decision: GuardrailDecision) -> ModelCall: ...

    def title(self, model: str) -> str:
        """For those who watch."""
        ...

    def take(self, decision: GuardrailDecision, reply: ModelReply) -> None:
        """Put the answer to its use."""
        ...


class Turn:
    """The next answer."""

    phase = Phase.THINKING

    def __init__(self, run: Run, *, heeds_context: bool) -> None:
        self._run = run
        self._heeds_context = heeds_context

    @property
    def wanted(self) -> Wanted:
        profile = self._run.profile
        return Wanted(
            ladder=profile.ladder,
            fallback=profile.fallback,
            size=self._run.state.prompt_size(profile),
            output_tokens=profile.max_output_tokens,
            heeds_context=self._heeds_context,
        )

    def call(self, decision: GuardrailDecision) -> ModelCall:
        run, profile = self._run, self._run.profile
        model, hold = decision.chosen
        offered = offered_tools(profile.tools, decision.open_tools)
        attempt = profile.limits.model_deadline + policies.MODEL_OVERHEAD
        preamble = Preamble(
            system=profile.system + tool_words.closed_off(profile.tools, decision.open_tools),
            tools=tuple(_offer(tool) for tool in offered),
        )
        transcript = run.transcript
        if transcript.preamble == preamble.digest:
            preamble = KEPT
        else:
            transcript = transcript.model_copy(update={"preamble": ""})
        return ModelCall(
            prompt=Prompt(
                model=model,
                system=preamble.system,
                messages=run.state.unkept,
                tools=preamble.tools,
                temperature=profile.temperature,
                max_output_tokens=hold.output_tokens,
            ),
            transcript=transcript,
            hold=hold,
            breaker=profile.model_breaker.outlasting(attempt),
            turn=run.state.turn + 1,
            deadline=profile.limits.model_deadline,
        )

    def title(self, model: str) -> str:
        return f"turn {self._run.state.turn + 1}: {model}"

    def take(self, decision: GuardrailDecision, reply: ModelReply) -> None:
        offered = offered_tools(self._run.profile.tools, decision.open_tools)
        self._run.state = self._run.state.answered(reply, tuple(tool.name for tool in offered))


def offered_tools(tools: tuple[ToolContract, ...], closed_off: tuple[OpenCircuit, ...]) -> tuple[ToolContract, ...]:
    """A tool with an open breaker is not offered."""
    refused = {circuit.name for circuit in closed_off}
    return tuple(tool for tool in tools if tool.name not in refused)


def _offer(tool: ToolContract) -> ToolOffer:
    return ToolOffer(name=tool.name, description=tool.description, parameters=tool.parameters)
