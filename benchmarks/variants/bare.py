"""The least that an agent on Temporal is: a loop of model and tool calls, the whole conversation in each model call."""

import asyncio
from datetime import timedelta

from temporalio import activity, workflow

with workflow.unsafe.imports_passed_through():
    from pydantic import BaseModel

    from benchmarks.workloads import ANSWER, TOOL, named, page

PATIENCE = timedelta(minutes=1)


class Call(BaseModel):
    id: str
    page: int
    size: int
    tool: str = TOOL


class Entry(BaseModel):
    """One message of a conversation."""

    role: str
    text: str = ""
    calls: tuple[Call, ...] = ()
    call_id: str | None = None


class Conversation(BaseModel):
    entries: tuple[Entry, ...]


@activity.defn
async def think(conversation: Conversation) -> Entry:
    """The model: by what was said so far, the next pages or the answer."""
    workload = named(conversation.entries[0].text)
    turn = sum(entry.role == "assistant" for entry in conversation.entries)
    calls = tuple(Call(id=f"call{number:05d}", page=number, size=workload.size) for number in workload.pages(turn))
    return Entry(role="assistant", text="" if calls else ANSWER, calls=calls)


@activity.defn
async def read_page(call: Call) -> str:
    return page(call.page, call.size)


@workflow.defn
class Bench:
    @workflow.run
    async def run(self, workload: str) -> str:
        entries = [Entry(role="user", text=workload)]
        while True:
            said = await workflow.execute_activity(
                think, Conversation(entries=tuple(entries)), start_to_close_timeout=PATIENCE
            )
            entries.append(said)
            if not said.calls:
                return said.text
            entries += await asyncio.gather(*(self._read(call) for call in said.calls))

    async def _read(self, call: Call) -> Entry:
        text = await workflow.execute_activity(read_page, call, start_to_close_timeout=PATIENCE)
        return Entry(role="tool", text=text, call_id=call.id)
