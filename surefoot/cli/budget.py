"""Commands for budgets."""

from typing import Annotated

import typer

from surefoot.cli.groups import Showing
from surefoot.cli.options import DEFAULT_PROFILE, DEFAULT_TENANT, By, Json, Profile, Reason, Tenant

app = typer.Typer(cls=Showing, help="Show what is spent, held and may be spent, and change it.")

Session = Annotated[str | None, typer.Option(help="The books of this conversation.")]
User = Annotated[str | None, typer.Option(help="The books of this user.")]
Whose = Annotated[
    str | None, typer.Option("--tenant", help="Whose session or user it is; alone, the tenant's own books.")
]


@app.command()
def show(
    session: Session = None,
    user: User = None,
    tenant: Tenant = DEFAULT_TENANT,
    profile: Profile = DEFAULT_PROFILE,
    json: Json = False,
) -> None:
    """Show what a conversation, a user or a tenant has spent, holds and may spend; also what `budget` alone does.

    The latest acts of operators on these books are told as well.
    """
    from surefoot.cli import acting, books

    acting.perform(
        lambda settings: books.show(settings, tenant=tenant, session=session, user=user, profile=profile),
        as_json=json,
    )


@app.command("set")
def set_limit(
    limit: Annotated[str, typer.Argument(metavar="LIMIT", help="Dollars, such as 0.75; `profile` for the profile's.")],
    by: By,
    reason: Reason,
    session: Session = None,
    user: User = None,
    tenant: Whose = None,
    profile: Profile = DEFAULT_PROFILE,
    json: Json = False,
) -> None:
    """Put another limit in the place of the profile's, for this window and those to come."""
    from surefoot.cli import acting, books

    acting.perform(
        lambda settings: books.set_limit(
            settings, books.Whose(session, user, tenant, profile), limit, by=by, reason=reason
        ),
        as_json=json,
    )


@app.command()
def top_up(
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="Dollars to add, such as 0.25.")],
    by: By,
    reason: Reason,
    session: Session = None,
    user: User = None,
    tenant: Whose = None,
    profile: Profile = DEFAULT_PROFILE,
    json: Json = False,
) -> None:
    """Add money to the limit, for this window."""
    from surefoot.cli import acting, books

    acting.perform(
        lambda settings: books.top_up(
            settings, books.Whose(session, user, tenant, profile), amount, by=by, reason=reason
        ),
        as_json=json,
    )


@app.command()
def reset(
    by: By,
    reason: Reason,
    session: Session = None,
    user: User = None,
    tenant: Whose = None,
    profile: Profile = DEFAULT_PROFILE,
    json: Json = False,
) -> None:
    """Begin the window anew: nothing spent, nothing topped up. Calls in flight stay held."""
    from surefoot.cli import acting, books

    acting.perform(
        lambda settings: books.reset(settings, books.Whose(session, user, tenant, profile), by=by, reason=reason),
        as_json=json,
    )


@app.command()
def rebuild(
    session: Annotated[str, typer.Option(help="The conversation whose runs' histories are added up.")],
    tenant: Tenant = DEFAULT_TENANT,
    profile: Profile = DEFAULT_PROFILE,
    json: Json = False,
) -> None:
    """Add up a conversation's spending from its runs' histories, and say where Redis differs.

    Changes nothing. Exit code 0 if they agree, 1 if they differ. Unknown is what was charged at a call's bound, since
    no worker could tell what became of the call: it is in no history, so it is taken off before comparing.
    """
    from surefoot.cli import acting, rebuilding

    acting.perform(lambda settings: rebuilding.rebuild(settings, session, tenant, profile), as_json=json)
