"""The name of the code that a worker runs."""

import subprocess
import sys
from pathlib import Path

from temporalio.client import Client

from surefoot.build import DIGITS, build_id
from surefoot.settings import Settings
from worker import composed

ROOT = Path(__file__).parents[1]


def test_the_same_code_has_the_same_short_name_in_every_process() -> None:
    asked = [sys.executable, "-c", "from surefoot.build import build_id; print(build_id())"]
    told = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    assert told == build_id()
    assert len(told) == DIGITS


async def test_a_worker_has_it_before_it_has_read_all_modules(settings: Settings, temporal_client: Client) -> None:
    async with composed(settings, temporal_client) as worker:
        assert worker.config().get("build_id") == build_id()
