"""Names of keys. Those that one script touches carry the same hash tag, and so share a slot of a cluster."""

import re
from urllib.parse import quote

from surefoot.errors import InvalidInput

MAX_PART = 2048
"""Characters of what a key is made from."""
_PLAIN = re.compile(r"[A-Za-z0-9_.~#-]*")
_PLAIN_TAG = re.compile(r"[A-Za-z0-9_.~:-]*")
"""What quoting leaves as it is, the ``#`` before an attempt aside; most keys have nothing else, and it takes time."""


def tagged(prefix: str, kind: str, tag: str) -> str:
    """The key of a kind with a hash tag, in which the tag's own braces cannot be seen.

    Raises ``InvalidInput`` for a tag that is empty or huge.
    """
    if not 0 < len(tag) <= MAX_PART:
        raise InvalidInput(f"a key of {len(tag)} characters for a {kind}: 1 to {MAX_PART} are possible")
    return f"{prefix}:{kind}:{{{tag if _PLAIN_TAG.fullmatch(tag) else quote(tag, safe=':')}}}"


def part(text: str) -> str:
    """A part of a key's name after its tag, in which colons cannot be seen."""
    return text.replace("#", "%23") if _PLAIN.fullmatch(text) else quote(text, safe="")
