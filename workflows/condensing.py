"""Shortening a conversation: a model summarises its older turns, and from then on a note stands for them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from temporalio.exceptions import ApplicationError

from surefoot import condensing
from surefoot.contracts.condensing import Condensed, SummaryOrder
from surefoot.contracts.conversation import size_in_bytes
from surefoot.contracts.guardrails import BYTES_A_TOKEN, GuardrailDecision, PromptSize, usable
from surefoot.contracts.models import ModelCall, ModelReply, Prompt
from surefoot.contracts.profiles import Profile
from surefoot.contracts.runs import Phase
from surefoot.contracts.tools import Effect
from surefoot.errors import ErrorType
from workflows import policies
from workflows.errands import Errand, TooLong, Wanted
from workflows.older_turns import Cut, cut
from workflows.run import Run

DO_WITHOUT = {ErrorType.BUDGET_EXHAUSTED, ErrorType.MODEL_REFUSED, ErrorType.PAYLOAD_TOO_LARGE}
"""Ends of a summary that need not be the run's: what fits of a record takes its place."""
TRIES = 4
"""How often a record is made to fit a smaller context than was thought: each model of a run may have another."""
FRAME = 256
"""Bytes that a record may have beside the messages themselves."""


@dataclass(frozen=True)
class Summary:
    """An account of older turns, by the cheapest model of the ladder, or one that can be had in its place."""

    run: Run
    cut: Cut
    room: int
    """UTF-8 bytes for the record of them."""
    phase = Phase.SUMMARISING

    @property
    def wanted(self) -> Wanted:
        profile = self.run.profile
        size = self.room + len(self._instructions.encode())
        return Wanted(
            ladder=profile.ladder[-1:],
            fallback=(*reversed(profile.ladder[:-1]), *profile.fallback),
            size=PromptSize(new_bytes=size, total_bytes=size),
            output_tokens=self.cut.summary_tokens,
            essential=False,
        )

    def call(self, decision: GuardrailDecision) -> ModelCall:
        run, limits = self.run, self.run.profile.limits
        model, hold = decision.chosen
        return ModelCall(
            prompt=Prompt(
                model=model,
                system=self._instructions,
                messages=run.state.unkept,
                max_output_tokens=hold.output_tokens,
            ),
            transcript=run.transcript.model_copy(update={"preamble": ""}),
            summary=self._order,
            hold=hold,
            breaker=run.profile.model_breaker.outlasting(limits.model_deadline + policies.MODEL_OVERHEAD),
            turn=run.state.turn + 1,
            deadline=limits.model_deadline,
        )

    def title(self, model: str) -> str:
        return f"summary of turns 1 to {self.cut.turns}: {model}"

    def take(self, decision: GuardrailDecision, reply: ModelReply) -> None:
        self.run.state = self.run.state.paid(reply)

    def fitting(self, too_long: TooLong) -> "Summary":
        """The same with a record that fits a smaller context."""
        bytes_a_token = 1 if too_long.surprises(self.wanted.size, self.cut.summary_tokens) else BYTES_A_TOKEN
        tokens = usable(too_long.context_tokens) - self.cut.summary_tokens
        room = tokens * bytes_a_token - len(self._instructions.encode())
        return replace(self, room=max(min(room, self.room // 2 if too_long.refused else self.room), FRAME))

    @property
    def _instructions(self) -> str:
        return condensing.instructions(self.cut.summary_tokens)

    @property
    def _order(self) -> SummaryOrder:
        """In the places of what is sent, where an earlier note stands after the first message."""
        before = self.run.state.condensed
        since = 2 if before else 1
        upto = since + self.cut.upto - self.cut.since
        return SummaryOrder(since=since, upto=upto, room=self.room, account=before.account if before else "")


async def condense(run: Run, too_long: TooLong, ask: Callable[[Errand], Awaitable[ModelReply]]) -> bool:
    """Let a note stand for older turns; False if there are none. Raises the run's typed end.

    Without a summary, because no money or no model is left for one, the note holds what fits of a record.
    """
    profile = run.profile
    surprising = too_long.surprises(run.state.prompt_size(profile), profile.max_output_tokens)
    found = cut(run.state, profile, too_long.context_tokens, counts_bytes=surprising)
    if found is None:
        run.note(f"{too_long}, and there are no turns that could be summarised")
        return False
    run.note(str(too_long))
    account, told = await _account(run, found, ask)
    run.state = run.state.shortened(_condensed(run, found, account))
    run.note(f"turns 1 to {found.turns} {told}")
    return True


async def _account(run: Run, found: Cut, ask: Callable[[Errand], Awaitable[ModelReply]]) -> tuple[str, str]:
    """A summary, or nothing; and what is told of it."""
    try:
        reply = await _summarised(run, found, ask)
    except ApplicationError as error:
        if error.type not in DO_WITHOUT:
            raise
        return "", f"could not be summarised, what fits of them is kept: {error.message}"
    account = reply.message.text.strip() if reply else ""
    if reply is None or not account:
        return "", f"could not be summarised, what fits of them is kept: {'no words' if reply else 'no room'} for them"
    became = f"{reply.usage.input_tokens:,} tokens became {reply.usage.output_tokens:,}"
    return account, f"were summarised by {reply.model}: {became}"


async def _summarised(run: Run, found: Cut, ask: Callable[[Errand], Awaitable[ModelReply]]) -> ModelReply | None:
    older = run.state.messages[found.since : found.upto]
    account = run.state.condensed.account if run.state.condensed else ""
    summary = Summary(run, found, size_in_bytes((run.state.messages[0], *older)) + 2 * len(account.encode()) + FRAME)
    for _ in range(TRIES):
        try:
            return await ask(summary)
        except TooLong as too_long:
            summary = summary.fitting(too_long)
    return None


def _condensed(run: Run, found: Cut, account: str) -> Condensed:
    state = run.state
    if not (by_model := bool(account)):
        older, before = state.messages[found.since : found.upto], state.condensed
        account = condensing.record(older, found.summary_tokens * BYTES_A_TOKEN, before.account if before else "")
    effects = condensing.effects_in(state.messages[: found.upto], _effects(run.profile))
    note = condensing.note(account, found.turns, by_model=by_model, effects=effects, room=found.effects_room)
    return Condensed(upto=found.upto, turns=found.turns, account=account, note=note)


def _effects(profile: Profile) -> condensing.Effects:
    return {tool.name: tool.identity for tool in profile.tools if tool.effect is not Effect.READ}
