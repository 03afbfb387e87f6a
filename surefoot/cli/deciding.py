"""Approvals: showing what waits, and deciding it."""

import json

from surefoot.cli.looking import run_id
from surefoot.cli.output import Answer, remark, table, words
from surefoot.cli.plain import public, when
from surefoot.client import SurefootClient
from surefoot.contracts.approvals import ApprovalDecision, Verdict
from surefoot.contracts.base import JsonObject
from surefoot.errors import InvalidInput


async def open_ones(client: SurefootClient, tenant: str | None, limit: int) -> Answer:
    found = await client.approvals(tenant=tenant, limit=limit)
    rows = [
        (one.run, one.request.id, one.request.tool, shown(one.request.arguments), when(one.request.expires_at))
        for one in found.approvals
    ]
    headings = ("Run", "Request", "Tool", "Arguments", "Expires")
    silent = [remark(f"{run} waits too, but no worker answers for it") for run in found.silent]
    return Answer(public(found), [table(headings, rows, empty="nothing waits for approval")], silent)


def shown(arguments: JsonObject) -> str:
    return json.dumps(arguments, ensure_ascii=False)


async def approve(
    client: SurefootClient, run: str, tenant: str, request: str | None, by: str, edit: str | None
) -> Answer:
    arguments = None if edit is None else edited(edit)
    return await _decide(client, run_id(run, tenant), request, Verdict.APPROVE, by=by, arguments=arguments)


async def reject(client: SurefootClient, run: str, tenant: str, request: str | None, by: str, feedback: str) -> Answer:
    return await _decide(client, run_id(run, tenant), request, Verdict.REJECT, by=by, feedback=feedback)


async def _decide(
    client: SurefootClient, run: str, request: str | None, verdict: Verdict, **more: str | JsonObject | None
) -> Answer:
    decision = ApprovalDecision.model_validate({"request_id": request or "", "verdict": verdict, **more})
    asked = await client.open_request(run, request)
    outcome = await client.decide(run, decision.model_copy(update={"request_id": asked.id}))
    done = "approved" if verdict is Verdict.APPROVE else "rejected"
    return Answer({"run": run, "outcome": public(outcome)}, [words(f"{done} {asked.tool} of {run}, by {outcome.by}")])


def edited(text: str) -> JsonObject:
    """The arguments that a human wrote instead; raises ``InvalidInput`` unless they are a JSON object."""
    try:
        arguments = json.loads(text)
    except ValueError as error:
        raise InvalidInput(f'--edit is not JSON ({error}); give an object such as \'{{"to": "a@b.c"}}\'') from None
    if not isinstance(arguments, dict):
        raise InvalidInput(f"--edit must be a JSON object with the tool's arguments, not {text!r}")
    return arguments
