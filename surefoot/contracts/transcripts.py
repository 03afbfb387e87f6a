"""A conversation that is kept out of line, and how a message speaks of it."""

from pydantic import Field

from surefoot.contracts.base import Terse


class TranscriptRef(Terse):
    """The first ``length`` messages of the conversation that is kept under ``key``, as the digest says they are."""

    key: str = ""
    """Left out by answers, since whoever asked has it."""
    length: int = Field(default=0, ge=0)
    digest: str = ""
    """Of all these messages in order; empty for none."""
    size: int = Field(default=0, ge=0)
    """UTF-8 bytes of these messages as JSON."""
    preamble: str = ""
    """Of the preamble that is kept with them, its digest; empty if a call has to bring it."""
