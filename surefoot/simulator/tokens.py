"""How the simulator counts: one token for every four bytes begun, whatever the provider."""

import json

from surefoot.contracts.conversation import AssistantMessage, CallPart, ConversationMessage, ThinkingPart, UserMessage
from surefoot.contracts.models import Prompt

BYTES_A_TOKEN = 4


def tokens_of(text: str) -> int:
    return -(-len(text.encode()) // BYTES_A_TOKEN)


def cut_to(text: str, tokens: int) -> str:
    """The beginning of the text that fits into so many tokens."""
    return text.encode()[: tokens * BYTES_A_TOKEN].decode(errors="ignore")


def words_of_call(call: CallPart) -> str:
    """A call as the text that its tokens are counted from."""
    return call.tool + (call.malformed or json.dumps(call.arguments, sort_keys=True, ensure_ascii=False))


def words_of(message: ConversationMessage) -> str:
    """A message as the text that its tokens are counted from. Ids and signatures count nothing."""
    if isinstance(message, UserMessage):
        return message.text
    if not isinstance(message, AssistantMessage):
        return message.content
    shown = (part for part in message.parts if not isinstance(part, ThinkingPart))
    return "".join(words_of_call(part) if isinstance(part, CallPart) else part.text for part in shown)


def input_tokens(prompt: Prompt) -> int:
    """All that is sent: system prompt, messages and tool declarations."""
    offers = "".join(offer.name + offer.description + json.dumps(offer.parameters) for offer in prompt.tools)
    return tokens_of(prompt.system + "".join(map(words_of, prompt.messages)) + offers)
