"""Which scopes a run spends in."""

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
