"""Pages of a tool's result that is too long for a model, each with a note how to get the next."""

from pydantic import JsonValue

from surefoot.idempotency import canonical

PAGE = 16 * 1024
"""Bytes of a page, its note included, and of the longest result that is told whole."""
NOTE = 512
"""Bytes that are left for the note."""
READ_ON = "read_on"
"""Names the tool that reads the further pages."""


def as_text(value: JsonValue) -> str:
    """A result as a model reads it."""
    return value if isinstance(value, str) else canonical(value)


def is_long(text: str) -> bool:
    return len(text) > PAGE or len(text.encode()) > PAGE


def count(text: str) -> int:
    """The number of pages."""
    return -(-len(text.encode()) // _BODY)


def page(text: str, number: int, result: str) -> str:
    """One page, from 1 on, of the result that is kept under this name."""
    last = count(text)
    place = f"Page {number} of {last}; {len(text.encode())} bytes in all."
    further = (
        f' To read on, call {READ_ON} with {{"result": "{result}", "page": {number + 1}}}.' if number < last else ""
    )
    return f"{_body(text, number)}\n\n[{place}{further}]"


def first_alone(text: str, *, has_effect: bool) -> str:
    """The first page of a result whose rest could not be kept."""
    place = f"Cut: these are the first of {len(text.encode())} bytes, and the rest was not kept."
    hint = "The call was made: do not make it again for the rest." if has_effect else _AGAIN
    return f"{_body(text, 1)}\n\n[{place} {hint}]"


_BODY = PAGE - NOTE
_AGAIN = "To get it, make the call again, with narrower arguments if it takes any."


def _body(text: str, number: int) -> str:
    data = text.encode()
    return data[_boundary(data, (number - 1) * _BODY) : _boundary(data, number * _BODY)].decode()


def _boundary(data: bytes, position: int) -> int:
    """The position, or the beginning of the character that it is in."""
    while 0 < position < len(data) and data[position] & 0xC0 == 0x80:
        position -= 1
    return position
