"""A deed that happens while every answer about it is lost, and a model that asks for it again."""

from datetime import timedelta

from surefoot.contracts.incidents import Incident, IncidentKind
from tests.chaos.plan import tag
from tests.crashes.scene import Scene
from tests.crashes.test_crashes import REFUND

AGAIN = f"{REFUND} {REFUND}".replace("%s", tag(0))
UNTIL_THE_CIRCUIT_IS_TRIED = timedelta(seconds=3.2)


async def test_a_refund_whose_answers_are_lost_is_one_refund_although_the_model_asks_again(scene: Scene) -> None:
    await scene.simulator.fault("refunds", "apply_then_lose", operation="issue_refund")
    await scene.simulator.fault("refunds", "cut", operation="lookup", count=1)
    await scene.simulator.fault("mistral", "latency", seconds=UNTIL_THE_CIRCUIT_IS_TRIED, skip=1, count=1)
    await scene.start(("doubtful", AGAIN))
    seen = await scene.ended()
    (end,) = scene.log.ends.values()
    (incident, *_) = [
        one
        for one in seen.incidents.values()
        if isinstance(one, Incident) and one.report.kind is IncidentKind.OUTCOME_UNKNOWN
    ]

    assert len(seen.effects) == 1
    assert incident.report.facts["effect_key"] == seen.effects[0].key
    assert end.result
    assert end.result.tools_called == ("issue_refund",)
    assert scene.broken(seen) == []
