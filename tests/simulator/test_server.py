"""The simulator as a process."""

import asyncio
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

from surefoot.embedded.simulator import start_simulator
from surefoot.simulator.client import SimulatorClient
from tests.support.waiting import until


async def test_it_ends_at_once_although_requests_hang(tmp_path: Path) -> None:
    log = tmp_path / "simulator.log"
    running = await start_simulator(log=log)
    async with SimulatorClient(running.url, "w1") as simulator, httpx2.AsyncClient(timeout=30) as http:
        await simulator.fault("crm", "hang")
        hung = asyncio.ensure_future(http.get(f"{simulator.crm_url}/customers/C-1001"))
        await until(lambda: simulator.calls("crm"))
        async with asyncio.timeout(5):
            await running.child.stop()
        with pytest.raises(httpx2.TransportError):
            await hung
    assert log.read_text() == ""


async def test_faults_leave_no_trace_in_the_log(tmp_path: Path) -> None:
    log = tmp_path / "simulator.log"
    running = await start_simulator(log=log)
    async with SimulatorClient(running.url, "w1") as simulator, httpx2.AsyncClient(timeout=0.3) as http:
        for kind in ("hang", "reset", "apply_then_lose", "cut", "stall", "malformed"):
            await simulator.fault("crm", kind, count=1)
            with suppress(httpx2.TransportError):
                await http.get(f"{simulator.crm_url}/customers/C-1001")
        assert len(await simulator.calls("crm")) == 6
    await running.child.stop()
    assert log.read_text() == ""
