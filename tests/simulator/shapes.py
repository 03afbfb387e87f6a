"""The shape of provider traffic: which fields there are, and of which type."""

import json
from collections.abc import Iterator

from pydantic import JsonValue

from tests.llm.recordings import FOLDER, recording

Shape = set[tuple[str, str]]
OPAQUE = ("args", "arguments")
"""Fields whose inside is the tools' business."""


def shape_of(value: JsonValue) -> Shape:
    """Path and type of every leaf."""
    return set(_leaves(value, ""))


def _leaves(value: JsonValue, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and not path.endswith(OPAQUE):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, f"{path}[]")
    else:
        yield path, "number" if isinstance(value, float) else type(value).__name__


def events_of(stream: str) -> list[JsonValue]:
    """The JSON of every server-sent event; checks the framing."""
    blocks = stream.replace("\r\n", "\n").removesuffix("\n\n").split("\n\n")
    assert all(block.startswith("data: ") for block in blocks)
    return [json.loads(block.removeprefix("data: ")) for block in blocks if block != "data: [DONE]"]


def recorded(provider: str) -> Shape:
    """Everything that the recordings of a provider have, plain or streamed; a delta may be what a message may be."""
    shapes: Shape = set()
    for file in sorted((FOLDER / provider).glob("*.json")):
        for exchange in recording(f"{provider}/{file.stem}"):
            body = exchange["response"]["body"]
            for answer in events_of(body) if isinstance(body, str) else [body]:
                shapes |= shape_of(answer)
    return shapes | {(path.replace(".message", ".delta"), kind) for path, kind in shapes}
