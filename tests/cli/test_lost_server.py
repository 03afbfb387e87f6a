"""A Temporal that goes away while a command waits."""

import asyncio
from contextlib import suppress

from temporalio.worker import Worker

from tests.cli.conftest import Launch

PUBLISH = "Summarise the news about heat pumps and publish it"


class Wire:
    """A TCP line to a server, which can be cut."""

    def __init__(self, address: str) -> None:
        self._host, _, port = address.rpartition(":")
        self._port = int(port)
        self._open: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> str:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aexit__(self, *_: object) -> None:
        self.cut()

    def cut(self) -> None:
        self._server.close()
        for writer in self._open:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward, back = await asyncio.open_connection(self._host, self._port)
        self._open += [writer, back]
        await asyncio.gather(_copy(reader, back), _copy(onward, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):  # either side may have gone
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()


async def test_a_run_goes_on_when_temporal_is_lost_and_the_line_says_so(
    launch: Launch, served: Worker, temporal_address: str, unique: str
) -> None:
    wire = Wire(temporal_address)
    async with wire as address:
        ask = ("run", PUBLISH, "--profile", "research", "--key", unique)
        process = await launch(*ask, TEMPORAL_ADDRESS=address)
        assert process.stderr is not None
        await process.stderr.readuntil(b"waiting for approval")
        await process.stderr.readline()
        wire.cut()
        out, err = await process.communicate()
    assert (process.returncode, out, err.count(b"\n")) == (4, b"", 1)
    assert f"the run goes on: `./starter.py result run:default:{unique}`" in err.decode()
