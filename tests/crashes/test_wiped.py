"""An unsafe call whose worker dies and whose claim is lost with Redis: only Temporal remembers whether it had left."""

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis as Connection

from surefoot.contracts.runs import RunResult
from surefoot.crash_points import CrashPoint
from surefoot.embedded.redis import Redis
from tests.crashes.scene import Scene
from tests.crashes.test_crashes import DEATH
from tests.support.waiting import eventually
from worker import composed

MAIL = '[[call send_email {"to": "ada@example.com", "subject": "Hello", "body": "A word."}]]'


@pytest.fixture
def own(scene: Scene, redis: Redis) -> Scene:
    scene.settings = scene.settings.model_copy(update={"redis_url": SecretStr(redis.url)})
    return scene


async def ended(scene: Scene, point: CrashPoint) -> RunResult:
    """The result of a run whose worker died at the point, and whose Redis was wiped then."""
    async with scene.doomed(point) as worker:
        await scene.start(("operations", MAIL))
        await eventually(lambda: not worker.running, within=DEATH)
    async with Connection.from_url(scene.redis_url) as connection:
        await connection.flushall()
    async with composed(scene.settings, scene.client) as sound, sound:
        (run,) = scene.log.accepted
        return await scene.surefoot.result(run)


@pytest.mark.parametrize("point", [CrashPoint.AFTER_SENT, CrashPoint.AFTER_EFFECT])
async def test_mail_that_may_have_left_before_redis_was_wiped_is_not_sent_again(own: Scene, point: CrashPoint) -> None:
    result = await ended(own, point)
    assert result.tools_called == ()
    assert [incident for incident in result.incidents if "outcome_unknown" in incident]
    assert len(await own.simulator.effects("mail")) == (1 if point is CrashPoint.AFTER_EFFECT else 0)


async def test_mail_that_had_not_left_before_redis_was_wiped_is_sent(own: Scene) -> None:
    result = await ended(own, CrashPoint.AFTER_CLAIM)
    assert result.tools_called == ("send_email",)
    assert not [incident for incident in result.incidents if "outcome_unknown" in incident]
    assert len(await own.simulator.effects("mail")) == 1
