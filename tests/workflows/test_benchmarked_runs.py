"""What the benchmarks compare is comparable: the floor and Surefoot do the same."""

from typing import Any

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from benchmarks.starting import Bare, Ours
from benchmarks.variants.bare import Bench, read_page, think
from benchmarks.variants.reader import PROVIDER, Reader
from benchmarks.variants.reader import read_page as our_read_page
from benchmarks.variants.surefoot import AGENTS
from benchmarks.workloads import named, page
from surefoot.settings import Settings
from worker import composed


async def acts(client: Client, id: str) -> list[tuple[str, Any, Any]]:
    """Type, input and result of each activity in the order of their beginning."""
    history = await client.get_workflow_handle(id).fetch_history()
    begun = {}
    for event in history.events:
        if event.HasField("activity_task_scheduled_event_attributes"):
            asked = event.activity_task_scheduled_event_attributes
            (given,) = await client.data_converter.decode(asked.input.payloads)
            begun[event.event_id] = [asked.activity_type.name, given, None]
        elif event.HasField("activity_task_completed_event_attributes"):
            told = event.activity_task_completed_event_attributes
            (begun[told.scheduled_event_id][2],) = await client.data_converter.decode(told.result.payloads)
    return [(name, given, result) for name, given, result in begun.values()]


@pytest.mark.parametrize("workload", ["R3", "L3"])
async def test_the_floor_and_surefoot_make_the_same_model_and_tool_calls(
    settings: Settings, temporal_client: Client, workload: str
) -> None:
    ours, queue = settings.model_copy(update={"agents_dir": AGENTS}), f"{settings.task_queue}-floor"
    async with (
        Worker(temporal_client, task_queue=queue, workflows=[Bench], activities=[think, read_page]),
        composed(ours, temporal_client, designs=(our_read_page,), **{PROVIDER: Reader()}) as worker,
        worker,
    ):
        floor = await acts(temporal_client, await Bare(temporal_client, queue)(workload))
        surefoot = await acts(temporal_client, await Ours(temporal_client, ours.task_queue)(workload))

    names = {"llm.generate": "think", "tool.read_page": "read_page"}
    assert [names[name] for name, _, _ in surefoot] == [name for name, _, _ in floor]
    asked = [call["page"] for name, call, _ in floor if name == "read_page"]
    assert [call["arguments"]["page"] for name, call, _ in surefoot if name == "tool.read_page"] == asked
    size = named(workload).size
    assert [result for name, _, result in floor if name == "read_page"] == [page(number, size) for number in asked]
    contents = [result["content"] for name, _, result in surefoot if name == "tool.read_page"]
    assert contents == [page(number, size) for number in asked]
