"""A worker dies at each of the instants that leave the most in doubt, with eight runs in its hands."""

from datetime import timedelta

import pytest

from surefoot.crash_points import OF_INCIDENTS, CrashPoint
from tests.chaos.plan import tag
from tests.crashes.scene import Scene
from tests.support.waiting import eventually

REFUND = '[[call issue_refund {"order_id": "A-1004", "amount": "2.50", "reason": "%s"}]]'
RETURN = '[[call start_return {"order_id": "A-1002", "reason": "%s"}]]'
ORDERS = (
    '[[parallel create_order {"product": "mug %s", "quantity": 1} create_order {"product": "pot %s", "quantity": 1}]]'
)
MAIL = '[[call send_email {"to": "%s@example.com", "subject": "Hello", "body": "A word."}]]'
PROMPTS = (("support", REFUND), ("support", RETURN), ("operations", ORDERS), ("operations", MAIL))
DEATH = timedelta(seconds=20)


def eight() -> list[tuple[str, str]]:
    """Two runs of each kind, each with a tag of its own."""
    kinds = [PROMPTS[number % len(PROMPTS)] for number in range(8)]
    return [(profile, prompt.replace("%s", tag(number))) for number, (profile, prompt) in enumerate(kinds)]


@pytest.mark.parametrize("point", [point for point in CrashPoint if point not in OF_INCIDENTS])
async def test_a_worker_that_dies_leaves_no_promise_broken(point: CrashPoint, scene: Scene) -> None:
    if point is CrashPoint.IN_FAILURE_HANDLER:  # something must fail for it
        await scene.simulator.fault("mail", "apply_then_lose", count=1)
    async with scene.doomed(point) as worker:
        await scene.start(*eight())
        await eventually(lambda: not worker.running, within=DEATH)
    assert not worker.ended_by_us or (await worker.death()).told.endswith("was ended by SIGKILL")
    seen = await scene.ended()

    assert scene.broken(seen) == []
    assert all(books.status.held == 0 for books in seen.books.values())
    assert {end.kind for end in scene.log.ends.values()} == {"completed"}
