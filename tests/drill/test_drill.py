"""The drills, as somebody plays them who wants to know whether paging works."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any, get_args

import pytest

from surefoot.cli import stack
from surefoot.contracts.incidents import IncidentKind
from surefoot.drill.stories import STORIES
from surefoot.embedded.python import ROOT
from tests.support.descendants import alive, children_of

LENGTHS = ("detectedSeconds", "pagedSeconds", "acknowledgedSeconds", "resolvedSeconds")


async def started(folder: Path, *command: str) -> Process:
    """A process of its own, whose environment names servers and pagers that it must leave alone."""
    elsewhere = {"TEMPORAL_ADDRESS": "127.0.0.1:1", "REDIS_URL": "redis://127.0.0.1:1", "OPSGENIE_API_KEY": "real"}
    environment = {**os.environ, **elsewhere, "TMPDIR": str(folder)}
    return await asyncio.create_subprocess_exec(
        sys.executable, *command, cwd=ROOT, env=environment, stdout=PIPE, stderr=PIPE
    )


async def drilled(folder: Path, kind: str) -> dict[str, Any]:
    """The only drill that was played, and that it went well and left nothing behind."""
    process = await started(folder, "starter.py", "drill", kind, "--json")
    out, err = await process.communicate()
    assert (process.returncode, err) == (0, b""), (out, err)
    document = json.loads(out)
    (score,) = document["drills"]
    assert (document["broken"], score["broken"], score["kind"]) == (0, None, kind)
    assert all(score[length] >= 0 for length in LENGTHS)
    assert score["completeness"] >= 0.8
    assert os.listdir(folder) == []
    return dict(score)


def test_there_is_a_drill_for_every_kind_of_incident_and_the_command_line_knows_it() -> None:
    assert STORIES.keys() == set(IncidentKind)
    assert set(get_args(stack.Kind)) == {"all", *IncidentKind}


async def test_a_person_settles_what_a_drill_leaves_unknown_by_the_command_of_its_runbook(tmp_path: Path) -> None:
    score = await drilled(tmp_path, "outcome_unknown")
    assert (score["severity"], score["how"]) == ("SEV2", "by itself, after ledger settle")
    assert score["channels"] == ["opsgenie", "pagerduty", "slack", "webhook"]


async def test_an_outage_of_the_store_pages_while_it_lasts_and_resolves_by_itself(tmp_path: Path) -> None:
    score = await drilled(tmp_path, "store_outage")
    assert (score["severity"], score["how"], score["why"]) == ("SEV2", "by itself", "Redis answers again.")


BROKEN = """
import sys
from datetime import UTC, datetime, timedelta
from surefoot.cli.drilling import answer
from surefoot.cli.output import tell
from surefoot.contracts.incidents import IncidentKind
from surefoot.drill import drill
from surefoot.drill.story import Trouble

async def nothing_happens(field):
    yield Trouble("publish_summary", datetime.now(UTC))

def told(scores, folder):
    tell(answer(scores), as_json=False)

stories = {IncidentKind.APPROVAL_EXPIRED: nothing_happens}
sys.exit(answer(drill(stories, say=print, tell=told, patience=timedelta(seconds=1))).code)
"""


async def test_a_drill_whose_incident_does_not_come_says_so_and_leaves_with_1(tmp_path: Path) -> None:
    process = await started(tmp_path, "-c", BROKEN)
    out, _ = await process.communicate()
    assert process.returncode == 1
    assert "✗ approval_expired: waited 1 s in vain for an incident about publish_summary" in out.decode()
    assert "0 of 1" in out.decode()


async def test_an_interrupted_drill_thaws_what_it_froze_ends_with_130_and_leaves_nothing_behind(
    tmp_path: Path,
) -> None:
    process = await started(tmp_path, "starter.py", "drill", "store_outage")
    async with asyncio.timeout(30):
        while not _frozen(process.pid):  # noqa: ASYNC110  # another process makes it so
            await asyncio.sleep(0.02)
    children = children_of(process.pid)
    process.send_signal(signal.SIGINT)
    _, err = await process.communicate()
    assert b"all that was started has ended" in err
    assert process.returncode == 130
    assert not alive(children)
    assert os.listdir(tmp_path) == []


def _frozen(pid: int) -> bool:
    """Whether a child of the process is stopped."""
    stats = (Path(f"/proc/{child}/stat") for child in children_of(pid))
    return any(stat.read_text().rpartition(")")[2].split()[0] == "T" for stat in stats if stat.exists())


@pytest.mark.parametrize("words", [("breaker-open",), ("nothing",)])
async def test_a_kind_that_there_is_not_is_refused_with_those_that_there_are(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    process = await started(tmp_path, "starter.py", "drill", *words)
    out, err = await process.communicate()
    assert (process.returncode, out) == (2, b"")
    assert b"approval_expired" in err
