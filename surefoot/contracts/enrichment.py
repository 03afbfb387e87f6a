"""What a model is asked about an incident."""

from pydantic import Field

from surefoot.contracts.base import Message
from surefoot.contracts.incidents import Evidence, IncidentReport


class EnrichRequest(Message):
    """Input of ``incidents.enrich``; its output is an ``Enrichment``, or None where there is none to be had."""

    incident_id: str
    report: IncidentReport
    evidence: Evidence = Evidence()
    occurrences: int = Field(default=1, ge=1)
