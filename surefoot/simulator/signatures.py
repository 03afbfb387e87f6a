"""Thought signatures: issued with Gemini's calls, and wanted back."""

import base64
import hashlib
import json
from collections.abc import Iterable

from surefoot.contracts.conversation import AssistantMessage, CallPart, ConversationMessage
from surefoot.idempotency import canonical
from surefoot.simulator.tokens import words_of, words_of_call

STAND_IN = b"skip_thought_signature_validator"
"""What Gemini's documentation on thought signatures offers for calls that never had one."""


class WrongSignature(Exception):
    """A call came back without its signature, or with one that was never issued."""


class Signatures:
    """What one world has signed.

    A signature follows from the conversation before the call, so that a simulator that was started anew knows its
    own. A call that another provider made in the same place has none, and needs none.
    """

    def __init__(self) -> None:
        self._issued: set[bytes] = set()
        self._others: set[bytes] = set()

    def sign(self, before: Iterable[ConversationMessage], calls: Iterable[CallPart]) -> str:
        signature = _signature(before, calls)
        self._issued.add(signature)
        return base64.b64encode(signature).decode()

    def made_elsewhere(self, before: Iterable[ConversationMessage], calls: Iterable[CallPart]) -> None:
        """Remember that another provider made these calls, unsigned."""
        self._others.add(_signature(before, calls))

    def check(self, messages: tuple[ConversationMessage, ...], *, strict: bool) -> None:
        """Raise ``WrongSignature`` unless every call that was signed comes back with its signature.

        A strict model also wants the stand-in for calls that never had one.
        """
        for index, message in enumerate(messages):
            if isinstance(message, AssistantMessage) and message.calls:
                self._check(messages[:index], message.calls, strict)

    def _check(self, before: tuple[ConversationMessage, ...], calls: tuple[CallPart, ...], strict: bool) -> None:
        expected = _signature(before, calls)
        sent = _decoded(calls[0].signature) if calls[0].signature is not None else None
        if sent is None or sent == STAND_IN:
            if (sent is None and strict) or (expected in self._issued and expected not in self._others):
                raise WrongSignature(
                    "Function call is missing a thought_signature in functionCall parts. Additional data, function "
                    f"call `default_api:{calls[0].tool}`, position {len(before) + 1}."
                )
        elif sent not in {expected, *self._issued}:
            raise WrongSignature("Thought signature is not valid.")


def _signature(before: Iterable[ConversationMessage], calls: Iterable[CallPart]) -> bytes:
    said = [[_essence(message) for message in before], [words_of_call(call) for call in calls]]
    return b"\x12" + hashlib.sha512(json.dumps(said).encode()).digest()


def _essence(message: ConversationMessage) -> str:
    """The words of a message; of JSON what it means, however it is written."""
    words = words_of(message)
    try:
        return canonical(json.loads(words))
    except ValueError:
        return words


def _decoded(signature: str) -> bytes:
    """Standard or URL-safe base64; nothing for what is neither."""
    try:
        return base64.b64decode(signature.replace("-", "+").replace("_", "/"), validate=True)
    except ValueError:
        return b""
