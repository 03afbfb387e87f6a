"""What a run is guarded by: the scopes that it spends in, and the breakers that are its tenant's own."""

from surefoot.contracts.budgets import Scope, ScopeKind
from surefoot.contracts.profiles import Profile
from surefoot.contracts.runs import RunRequest
from surefoot.idempotency import workflow_id


def scopes(request: RunRequest, profile: Profile) -> tuple[Scope, ...]:
    """The scopes that the profile limits and the request names; subjects are told apart by their kind."""
    subjects = {
        ScopeKind.TENANT: request.tenant,
        ScopeKind.USER: request.user,
        ScopeKind.SESSION: request.session,
        ScopeKind.RUN: workflow_id(request.tenant, request.key),
    }
    return tuple(
        Scope(kind=kind, subject=subject, budget=profile.budgets[kind])
        for kind, subject in subjects.items()
        if subject is not None and kind in profile.budgets
    )


def own_breakers(profile: Profile) -> tuple[str, ...]:
    """Tools and models whose policy gives each tenant a breaker of its own."""
    models = (*profile.ladder, *profile.fallback) if profile.model_breaker.by_tenant else ()
    return (*(tool.name for tool in profile.tools if tool.breaker.by_tenant), *models)
