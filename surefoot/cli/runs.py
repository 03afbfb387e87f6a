"""Commands that start runs and look after them."""

from typing import Annotated, Literal

import typer

from surefoot.cli.options import DEFAULT_TENANT, By, Detach, Json, Limit, NoWait, Reason, Run, Tenant

app = typer.Typer()

Status = Literal["running", "completed", "failed", "cancelled", "terminated"]


@app.command()
def run(
    prompt: Annotated[str, typer.Argument(help="What the agent is asked; - reads standard input.")],
    profile: Annotated[str, typer.Option(help="The agent; see `profiles`.")] = "support",
    session: Annotated[str | None, typer.Option(help="The conversation; one of its own if not given.")] = None,
    key: Annotated[str | None, typer.Option(help="Idempotency key: the same key is the same run.")] = None,
    tenant: Tenant = DEFAULT_TENANT,
    user: Annotated[str | None, typer.Option(help="Whose budget counts beside the session's.")] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Show turns, tools and words as they happen.")] = False,
    detach: Detach = False,
    no_wait: NoWait = False,
    no_check: Annotated[
        bool, typer.Option("--no-check", help="Start even if profile, keys and Redis are the workers' alone.")
    ] = False,
    json: Json = False,
) -> None:
    """Run an agent, wait for its answer and print it. Ctrl-C leaves the run going."""
    from surefoot.cli import acting, starting

    if detach and (follow or no_wait):
        raise typer.BadParameter("--detach goes with neither --follow nor --no-wait")
    asked = starting.Asked(prompt=prompt, profile=profile, session=session, key=key, tenant=tenant, user=user)
    manner = starting.Manner(follow=follow, detach=detach, stop_at_approval=no_wait, check=not no_check, as_json=json)
    acting.perform(lambda settings: starting.run(settings, asked, manner), as_json=json)


@app.command("runs")
def list_runs(
    status: Annotated[Status | None, typer.Option(help="Only runs that stand so.")] = None,
    profile: Annotated[str | None, typer.Option(help="Only runs of this agent.")] = None,
    session: Annotated[str | None, typer.Option(help="Only runs of this conversation.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Only runs of this tenant.")] = None,
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """List runs: those under way, then the newest of the others."""
    from surefoot.cli import acting, looking

    acting.connected(
        lambda client: looking.runs(
            client, status=status, profile=profile, session=session, tenant=tenant, limit=limit
        ),
        as_json=json,
    )


@app.command()
def status(run: Run, tenant: Tenant = DEFAULT_TENANT, json: Json = False) -> None:
    """Show where a run stands and what it is doing."""
    from surefoot.cli import acting, looking

    acting.perform(lambda settings: looking.status(settings, looking.run_id(run, tenant)), as_json=json)


@app.command()
def history(run: Run, tenant: Tenant = DEFAULT_TENANT, json: Json = False) -> None:
    """Show what a run did, from Temporal's history; needs no worker."""
    from surefoot.cli import acting, looking

    acting.perform(lambda settings: looking.history(settings, looking.run_id(run, tenant)), as_json=json)


@app.command()
def result(run: Run, tenant: Tenant = DEFAULT_TENANT, no_wait: NoWait = False, json: Json = False) -> None:
    """Wait for a run's answer and print it."""
    from surefoot.cli import acting, looking, starting

    manner = starting.Manner(stop_at_approval=no_wait, as_json=json)
    acting.perform(lambda settings: starting.result(settings, looking.run_id(run, tenant), manner), as_json=json)


@app.command()
def retry(
    run: Run,
    by: By,
    reason: Reason,
    tenant: Tenant = DEFAULT_TENANT,
    detach: Detach = False,
    no_wait: NoWait = False,
    json: Json = False,
) -> None:
    """Start a failed or cancelled run again under its key, wait for its answer and print it.

    What it has done is not done again. A run that is under way is joined; a completed one gives its answer.
    """
    from surefoot.cli import acting, looking, starting

    if detach and no_wait:
        raise typer.BadParameter("--detach does not go with --no-wait")
    manner = starting.Manner(detach=detach, stop_at_approval=no_wait, as_json=json)
    acting.perform(
        lambda settings: starting.retry(settings, looking.run_id(run, tenant), by, reason, manner), as_json=json
    )


@app.command()
def reset(
    run: Run,
    to: Annotated[int, typer.Option(metavar="TURN", min=1, help="The turn whose model call is made anew.")],
    by: By,
    reason: Reason,
    tenant: Tenant = DEFAULT_TENANT,
    json: Json = False,
) -> None:
    """Let a run begin anew from one of its turns; what came before stays as it is.

    Approvals given before are not taken over: a call that needs one asks again. Effects are not repeated: a call that
    was done gives its recorded result.
    """
    from surefoot.cli import acting, again, looking

    acting.connected(lambda client: again.reset(client, looking.run_id(run, tenant), to, by, reason), as_json=json)


@app.command()
def cancel(run: Run, tenant: Tenant = DEFAULT_TENANT, json: Json = False) -> None:
    """Ask a run to stop. It settles what it holds first."""
    from surefoot.cli import acting, looking

    acting.connected(lambda client: looking.cancel(client, looking.run_id(run, tenant)), as_json=json)
