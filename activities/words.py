"""Passes a model's words on to those who follow a run, without slowing the model down."""

import asyncio
from datetime import timedelta

from surefoot.ports import TextStream

EVERY = timedelta(milliseconds=200)
"""A quick answer is over before it is worth a round trip; a slow one is shown a few times a second."""


class Words:
    """Gathers pieces of text and publishes them at most every ``EVERY``."""

    def __init__(self, stream: TextStream, *, run_id: str, turn: int) -> None:
        self._stream = stream
        self._run_id = run_id
        self._turn = turn
        self._pieces: list[str] = []
        self._published = asyncio.get_running_loop().time()

    async def say(self, piece: str) -> None:
        self._pieces.append(piece)
        now = asyncio.get_running_loop().time()
        if now - self._published < EVERY.total_seconds():
            return
        self._published = now
        text = "".join(self._pieces)
        self._pieces.clear()
        await self._stream.publish(self._run_id, self._turn, text)
