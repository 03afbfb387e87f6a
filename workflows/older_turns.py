"""Where a conversation that is too long is cut: between two turns, never between a call and its result."""

from collections.abc import Sequence
from dataclasses import dataclass

from surefoot.condensing import turns_in
from surefoot.contracts.conversation import AssistantMessage, ConversationMessage, size_in_bytes
from surefoot.contracts.guardrails import BYTES_A_TOKEN, usable
from surefoot.contracts.profiles import Profile
from workflows.state import RunState

MOST_TOKENS = 4_096
LEAST_TOKENS = 128
"""Of a summary, thinking included."""
LEAST_FOR_EFFECTS = 600
MOST_FOR_EFFECTS = 64 * 1024
"""Bytes of the record of side effects: with its quotation marks and the summary it must fit into one message."""


@dataclass(frozen=True)
class Cut:
    """The older turns, and what there is room for in their place."""

    since: int
    upto: int
    """They are the messages from ``since`` up to but without this one."""
    turns: int
    """All that are older than the cut, those before ``since`` included."""
    summary_tokens: int
    effects_room: int
    """UTF-8 bytes for the record of side effects."""


@dataclass(frozen=True)
class _Scale:
    """How many tokens bytes are, as far as the provider's counting shows."""

    bytes: int = BYTES_A_TOKEN
    tokens: int = 1

    def tokens_in(self, size: int) -> int:
        return -(-size * self.tokens // self.bytes)

    def bytes_in(self, tokens: int) -> int:
        return tokens * self.bytes // self.tokens


def cut(state: RunState, profile: Profile, context_tokens: int, *, counts_bytes: bool) -> Cut | None:
    """Leave the newest turns as they are: as many as the profile wants, where they take half of the room at most.

    An eighth is for the summary, an eighth for the record of effects, the rest for turns to come. None if there is
    nothing left to be cut off. ``counts_bytes`` takes a byte for a token.
    """
    since = state.condensed.upto if state.condensed else 1
    if since >= len(state.messages):
        return None
    fixed = profile.fixed_size + size_in_bytes(state.messages[:1])
    scale = _Scale(1, 1) if counts_bytes else _scale(state, profile.fixed_size)
    room = max(usable(context_tokens) - profile.max_output_tokens - scale.tokens_in(fixed), 0)
    upto = _between_turns(state.messages, since, profile.limits.verbatim_turns, scale.bytes_in(room // 2))
    return Cut(
        since=since,
        upto=upto,
        turns=turns_in(state.messages[:upto]),
        summary_tokens=min(max(room // 8, LEAST_TOKENS), MOST_TOKENS),
        effects_room=min(max(scale.bytes_in(room // 8), LEAST_FOR_EFFECTS), MOST_FOR_EFFECTS),
    )


def _scale(state: RunState, fixed: int) -> _Scale:
    """Figures and foreign scripts have more tokens than prose."""
    counted = state.counted
    known = _Scale(fixed + size_in_bytes(state.sent[: counted.messages]), max(counted.tokens, 1))
    return known if counted.provider and known.bytes < BYTES_A_TOKEN * known.tokens else _Scale()


def _between_turns(messages: Sequence[ConversationMessage], since: int, turns: int, room: int) -> int:
    """Where the newest turns begin that fit; the end if not even the last one does. At least one turn is older."""
    starts = [at for at in range(since, len(messages)) if isinstance(messages[at], AssistantMessage)]
    for start in starts[max(len(starts) - turns, 1) :]:
        if size_in_bytes(tuple(messages[start:])) <= room:
            return start
    return len(messages)
