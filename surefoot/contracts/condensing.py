"""Long conversations: what stands for their older turns in a prompt, and what a model is asked to make of them."""

from pydantic import Field

from surefoot.contracts.base import Message


class Condensed(Message):
    """Older turns that the model is not sent any more, since one note stands for them. The run still knows them.

    The first message of a conversation, what the user asked for, is always sent as it was.
    """

    upto: int = Field(ge=1)
    """The note stands for the messages before this one, the first excepted."""
    turns: int
    """How many turns these are."""
    account: str
    """What a model says was found and decided in them, or what could be kept of a record."""
    note: str
    """The whole message, with the side effects that were caused."""


class SummaryOrder(Message):
    """Which messages of a prompt are to be summarised, in place of the prompt's being answered."""

    since: int = Field(ge=1)
    upto: int
    """The first message, and those from ``since`` up to but without this one."""
    room: int
    """UTF-8 bytes that a record of them may take; the longest are cut for that."""
    account: str = ""
    """What is known of the messages between the first and ``since``."""
