"""Addresses of pages in Temporal's web UI."""

from urllib.parse import quote

from surefoot.settings import Settings


def link(settings: Settings, namespace: str, workflow_id: str) -> str | None:
    """The page of a run or an incident, if the settings know where the UI is."""
    if not settings.temporal_ui:
        return None
    page = f"namespaces/{quote(namespace, safe='')}/workflows/{quote(workflow_id, safe='')}"
    return f"{settings.temporal_ui.rstrip('/')}/{page}"
