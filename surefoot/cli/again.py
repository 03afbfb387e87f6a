"""Letting a run begin anew from one of its turns."""

from surefoot.cli.deeds import act
from surefoot.cli.output import Answer, remark, words
from surefoot.client import SurefootClient
from surefoot.contracts.base import JsonObject


async def reset(client: SurefootClient, run: str, turn: int, by: str, reason: str) -> Answer:
    said = act(by, reason)
    started = await client.reset(run, turn=turn, reason=f"{said.reason} ({said.by})")
    document: JsonObject = {"run": started.run, "turn": turn, "by": said.by, "reason": said.reason}
    come_back = remark(f"`./starter.py result {started.run}` waits for its answer")
    return Answer(document, [words(f"{started.run} begins anew from turn {turn}, by {said.by}")], [come_back])
