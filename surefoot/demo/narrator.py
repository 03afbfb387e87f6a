"""The voice of the demo: on a terminal it tells at the pace of a reader, without holding up what it tells of."""

import asyncio
import sys
from datetime import timedelta

from rich.console import Console
from rich.text import Text

PACE = timedelta(milliseconds=1400)
"""Between two paragraphs on a terminal; a pipe gets them at once."""
PIPE_WIDTH = 200


class Narrator:
    """Prints paragraphs in order, in the background where it paces them."""

    def __init__(self) -> None:
        self._paced = sys.stdout.isatty()
        width = None if self._paced else PIPE_WIDTH
        self._console = Console(width=width, highlight=False, markup=False, emoji=False)
        self._untold: asyncio.Queue[Text] = asyncio.Queue()
        self._telling: asyncio.Task[None] | None = None

    def tell(self, paragraph: Text) -> None:
        if not self._paced:
            self._console.print(paragraph, soft_wrap=True)
            return
        self._untold.put_nowait(paragraph)
        if self._telling is None:
            self._telling = asyncio.create_task(self._tell_all())

    async def told(self) -> None:
        """Wait until every paragraph has been printed."""
        await self._untold.join()

    async def _tell_all(self) -> None:
        while True:
            self._console.print(await self._untold.get(), soft_wrap=True)
            await asyncio.sleep(PACE.total_seconds())
            self._untold.task_done()
