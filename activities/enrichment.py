"""Asks a model what it makes of an incident: a hint, after the page, and never a reason to wait or to fail."""

from datetime import timedelta

from temporalio import activity

from activities.small_calls import NoAnswer, SmallCalls
from surefoot.contracts.enrichment import EnrichRequest
from surefoot.contracts.incidents import Enrichment
from surefoot.errors import InvalidInput, StoreUnavailable
from surefoot.incidents import enrichment

WITHIN = timedelta(seconds=15)


class EnrichmentActivities:
    """Without a model there is no enrichment, and whatever goes wrong is one line in the log."""

    def __init__(self, calls: SmallCalls, model: str | None, within: timedelta = WITHIN) -> None:
        self._calls = calls
        self._model = model
        self._within = within

    @activity.defn(name="incidents.enrich")
    async def enrich(self, request: EnrichRequest) -> Enrichment | None:
        """Ask once. None if the model is out or too slow, the budget is spent, or the schema refuses the answer."""
        if self._model is None:
            return None
        try:
            reply = await self._calls.ask(enrichment.prompt(self._model, request), self._within)
            return enrichment.read(reply.model_version, reply.message.text)
        except (NoAnswer, StoreUnavailable, InvalidInput) as error:
            activity.logger.warning("Incident %s is not enriched: %s", request.incident_id, error)
            return None
