"""Ids and names of tool calls, in a form that every provider accepts."""

import hashlib
import re
import secrets
import string

_ALPHABET = string.digits + string.ascii_letters
_LENGTH = 9
_MAX_NAME = 64


def new_call_id() -> str:
    """A random id for a call that came without one: nine alphanumerics, which is what Mistral asks for."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def nine(call_id: str) -> str:
    """Map an id to nine alphanumerics, always the same ones; an id that has this form already stays as it is.

    Two ids meet by chance once in 62**9.
    """
    if len(call_id) == _LENGTH and call_id.isascii() and call_id.isalnum():
        return call_id
    number = int.from_bytes(hashlib.sha256(call_id.encode()).digest())
    digits = []
    for _ in range(_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(digits)


def callable_name(tool: str) -> str:
    """A tool's name as providers accept it in a conversation.

    A model may call what does not exist; sent back as it stands, such a name is refused with 400 for good.
    """
    name = re.sub(r"[^A-Za-z0-9_-]", "_", tool)
    if not name or not (name[0].isalpha() or name[0] == "_"):
        name = f"_{name}"
    return name[:_MAX_NAME]
