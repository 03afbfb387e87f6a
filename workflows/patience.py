"""How long a run waits for the store: on durable timers, not in a worker's memory."""

from datetime import timedelta

from surefoot.contracts.runs import Phase
from surefoot.errors import ErrorType
from workflows import outages, policies
from workflows.run import Run


class Patience:
    """For one thing that the store keeps from being done: waits that double, ``store_wait`` of the profile in all."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._next = policies.STORE_PATIENCE
        self._waited = timedelta(0)

    @property
    def tried(self) -> bool:
        return self._waited > timedelta(0)

    async def wait(self, why: str, cause: BaseException) -> None:
        """Return when it is time to try again; raises the run's end when the patience is spent.

        ``why`` is what the outage has kept from being done, for its incident.
        """
        run = self._run
        left = run.profile.limits.store_wait - self._waited
        if left <= timedelta(0):
            raise run.end(ErrorType.STORE_UNAVAILABLE, f"Redis was away for longer than {self._waited}") from cause
        await outages.met(run, why)
        pause = min(self._next, left)
        await run.sleep(pause, Phase.WAITING_FOR_STORE)
        self._waited, self._next = self._waited + pause, min(self._next * 2, policies.STORE_PATIENCE_MAX)
