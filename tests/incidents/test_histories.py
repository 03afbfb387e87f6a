"""Incidents that a worker of an earlier version opened end as they began."""

from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from workflows import policies
from workflows.failure_handler import FailureHandlerWorkflow

HISTORIES = Path(__file__).parent / "histories"
SIGNALS = 5
"""After so many the recorded incident went on as a new one."""


@pytest.mark.parametrize("name", sorted(file.stem for file in HISTORIES.glob("*.json")))
async def test_an_incident_from_before_there_was_an_escalation_decides_as_it_did(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policies, "SIGNALS_A_RUN", SIGNALS)
    replayer = Replayer(
        workflows=[FailureHandlerWorkflow],
        workflow_runner=UnsandboxedWorkflowRunner(),
        data_converter=pydantic_data_converter,
    )
    await replayer.replay_workflow(WorkflowHistory.from_json(name, (HISTORIES / f"{name}.json").read_text()))
