"""Every command of every kind's runbook runs as it is printed, on an incident that has really come about."""

import asyncio
import os
import re
import shutil
import stat
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from temporalio.client import Client

import worker
from surefoot.client import SurefootClient
from surefoot.client.incidents import INCIDENT_WORKFLOW
from surefoot.contracts.incidents import Incident, IncidentKind, IncidentReport
from surefoot.contracts.runs import RunRequest
from surefoot.errors import RunFailed
from surefoot.idempotency import incident_id
from surefoot.settings import Settings
from surefoot.simulator.client import SimulatorClient
from tests.cli.conftest import STARTER, Typed
from tests.incidents.reports import AT, FACTS, SUBJECTS
from tests.support.waiting import until
from tests.workflows.conftest import AGENTS
from workflows.failure_handler import FailureHandlerWorkflow

K = IncidentKind
LOOK_UP = '[[call look_up_order {"order_id": "A-1001"}]]'
CUSTOMER = '[[call look_up_customer {"customer": "C-1001"}]]'
MAIL = '[[call send_email {"to": "ada@example.com", "subject": "Hello", "body": "Hello"}]]'
ORDERS = " ".join(f'[[call create_order {{"product": "mug", "quantity": {number}}}]]' for number in range(1, 6))
REPORT = "Write a report of 3000 words on tides."
PUBLISH = "Research tides and publish a summary."

ECHO = "#!/bin/sh\nprintf '%s\\0' \"$@\"\n"
"""In the place of ``starter.py``: says what the shell made of a command."""

Step = tuple[str, set[int]]
"""A command, and the exit codes that its runbook says it may have beside 0."""


FRUGAL = """base = "operations"
max_output_tokens = 4096
[budgets.session]
limit = "0.05"
soft_percent = 20
"""
"""Crosses its soft line with the first report."""


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    agents = shutil.copytree(AGENTS, tmp_path / "agents")
    (agents / "frugal.toml").write_text(FRUGAL)
    return settings.model_copy(update={"agents_dir": agents})


class Trouble:
    """Makes incidents of each kind come about."""

    def __init__(self, surefoot: SurefootClient, simulator: SimulatorClient, unique: str, task_queue: str) -> None:
        self._surefoot = surefoot
        self._task_queue = task_queue
        self._simulator = simulator
        self._unique = unique
        self._asked = 0

    async def run(self, prompt: str, profile: str, session: str = "") -> str:
        """The id of a run that is over, whatever became of it."""
        self._asked += 1
        key = f"{self._unique}-{self._asked}"
        request = RunRequest(prompt=prompt, profile=profile, key=key, session=session or key)
        started = await self._surefoot.start(request)
        with suppress(RunFailed):  # which some of them are for
            await self._surefoot.result(started.run)
        return started.run

    async def all(self) -> None:
        simulator = self._simulator
        await simulator.fault("orders", "status", operation="lookup", status=500)
        await simulator.fault("crm", "status", status=500)
        await simulator.fault("mail", "apply_then_lose", count=1)
        await asyncio.gather(
            self._spend(),
            *(self.run(LOOK_UP, "support") for _ in range(2)),
            self.run(CUSTOMER, "support"),
            self.run(MAIL, "operations"),
            self.run(ORDERS, "hasty"),
            self.run(PUBLISH, "impatient"),
        )
        await simulator.fault("mistral", "status", status=500)
        await self.run("Hello there", "support")
        await simulator.clear_faults()

    async def _spend(self) -> None:
        for _ in range(8):
            await self.run(REPORT, "frugal", f"{self._unique}-spender")

    async def tell(self, kind: IncidentKind, run: str) -> None:
        """Of what no run can make happen without the others noticing."""
        report = IncidentReport(
            kind=kind,
            tenant="fleet",
            subject=SUBJECTS[kind],
            episode=self._unique,
            run_id=run,
            summary=f"{SUBJECTS[kind]} is in trouble.",
            facts=FACTS[kind],
            at=AT,
        )
        await self._surefoot.temporal.start_workflow(
            FailureHandlerWorkflow.run, report, id=incident_id(report), task_queue=self._task_queue
        )


@pytest.fixture
async def incidents(
    settings: Settings, temporal_client: Client, simulator: SimulatorClient, unique: str
) -> AsyncIterator[dict[IncidentKind, Incident]]:
    """One incident of each kind, with its runbook, and a worker that goes on."""
    surefoot = SurefootClient(temporal_client, task_queue=settings.task_queue)
    async with worker.composed(settings, temporal_client) as composed, composed:
        trouble = Trouble(surefoot, simulator, unique, settings.task_queue)
        await trouble.all()
        failed = await trouble.run("Hello", "operations")
        for kind in (K.STORE_WIPED, K.STORE_OUTAGE, K.PRICE_DRIFT):
            await trouble.tell(kind, failed)
        found: dict[IncidentKind, Incident] = {}
        mine = f"WorkflowType = '{INCIDENT_WORKFLOW}' AND TaskQueue = '{settings.task_queue}'"

        async def all_composed() -> bool:
            async for one in temporal_client.list_workflows(mine):
                incident = await surefoot.incident(one.id)
                if incident.runbook:
                    found[incident.report.kind] = incident
            return found.keys() == set(K)

        await until(all_composed)
        yield found


def steps(markdown: str) -> list[Step]:
    """The commands in order, each with the exit codes that the words before it allow."""
    found: list[Step] = []
    said = ""
    for token in MarkdownIt("commonmark").parse(markdown):
        if token.type == "inline":
            said = token.content
        elif token.type == "fence" and token.info == "sh":
            codes = re.search(r"[Ee]xit code (.*)", said)
            found.append(
                (token.content.strip(), {int(code) for code in re.findall(r"\b\d\b", codes[1] if codes else "")})
            )
    return found


async def words(command: str, folder: Path) -> list[str]:
    """What a shell hands to ``./starter.py``."""
    shell = await asyncio.create_subprocess_exec(
        "bash", "-c", command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await shell.communicate()
    assert (shell.returncode, err) == (0, b""), command
    return out.decode().split("\0")[:-1]


async def assert_one_runs_in_a_real_shell(commands: set[str], environment: dict[str, str]) -> None:
    """In the project's folder; the others differ from it in nothing but their words."""
    shell = await asyncio.create_subprocess_shell(
        next(one for one in commands if "force-open look_up_customer" in one),
        cwd=STARTER.parent,
        env={**environment, "PATH": os.environ["PATH"], "USER": "ada"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await shell.communicate()
    assert (shell.returncode, out, err) == (0, b"look_up_customer is held open, by ada\n", b"")


async def test_every_command_of_every_runbook_runs_as_it_is_printed(
    incidents: dict[IncidentKind, Incident], typed: Typed, environment: dict[str, str], tmp_path: Path
) -> None:
    echo = tmp_path / "starter.py"
    echo.write_text(ECHO)
    echo.chmod(echo.stat().st_mode | stat.S_IXUSR)
    failures, run = [], set[str]()
    for kind, incident in incidents.items():
        assert incident.runbook
        assert "general one" not in incident.runbook.markdown
        for command, codes in steps(incident.runbook.markdown):
            if command in run:
                continue
            run.add(command)
            left = await typed(*await words(command, tmp_path))
            if left.code not in {0, *codes}:
                failures.append((kind.value, command, left.code, left.err))
    assert failures == []
    assert len(run) > 5 * len(K)
    await assert_one_runs_in_a_real_shell(run, environment)
