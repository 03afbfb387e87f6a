"""An incident as Alertmanager would tell it, for receivers that know version 4 of its webhook.

https://prometheus.io/docs/alerting/latest/configuration/#webhook_config. Labels never change in an incident's life;
Alertmanager has no acknowledgement, so that one is an annotation of an alert that still fires.
"""

import hashlib
from datetime import datetime

from surefoot.contracts.base import JsonObject
from surefoot.contracts.oncall import Notice, Notification
from surefoot.incidents.channels.words import command, dedup_key, status

NOT_ENDED = "0001-01-01T00:00:00Z"
"""Go's zero time."""
GROUP_KEY = 1_024
SEVERITIES = {1: "critical", 2: "critical", 3: "warning", 4: "info", 5: "info"}


def alertmanager(words: Notification, at: datetime) -> JsonObject:
    """A group of the one alert that the incident is."""
    over = words.notice is Notice.RESOLVE
    link = words.links[0].url if words.links else ""
    labels, annotations = _labels(words), _annotations(words)
    key = dedup_key(words.incident_id, GROUP_KEY)
    state = "resolved" if over else "firing"
    return {
        "version": "4",
        "groupKey": key,
        "truncatedAlerts": 0,
        "status": state,
        "receiver": "surefoot",
        "groupLabels": {"incident": key},
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": link,
        "alerts": [
            {
                "status": state,
                "labels": labels,
                "annotations": annotations,
                "startsAt": words.opened_at.isoformat(),
                "endsAt": at.isoformat() if over else NOT_ENDED,
                "generatorURL": link,
                "fingerprint": hashlib.sha256(key.encode()).hexdigest()[:16],
            }
        ],
    }


def _labels(words: Notification) -> JsonObject:
    return {
        "alertname": f"surefoot_{words.kind}",
        "incident": dedup_key(words.incident_id, GROUP_KEY),
        "severity": SEVERITIES[words.severity],
        "sev": f"SEV{words.severity}",
        "subject": words.subject,
        "tenant": words.tenant,
    }


def _annotations(words: Notification) -> JsonObject:
    said: JsonObject = {
        "summary": words.title,
        "description": words.summary,
        "status": status(words),
        "command": command(words),
    }
    acknowledged: JsonObject = {"acknowledged_by": words.by or "unknown"}
    return said | (acknowledged if words.notice is Notice.ACKNOWLEDGE else {})
