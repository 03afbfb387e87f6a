"""Scene six: fifty runs on one budget; the cheaper model takes over, and then the money ends."""

import asyncio

from surefoot.contracts.budgets import ScopeStatus, dollars
from surefoot.contracts.runs import RunResult
from surefoot.demo.stage import Stage
from surefoot.errors import ErrorType, RunFailed

RUNS = 50


async def rush(stage: Stage) -> None:
    outcomes = await asyncio.gather(*(_report(stage, number) for number in range(RUNS)))
    done = [outcome for outcome in outcomes if isinstance(outcome, RunResult)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, RunFailed)]
    dear = [result for result in done if not result.downgraded]
    cheap = [result for result in done if result.downgraded]
    stage.hold(bool(dear), f"{len(dear)} reports by {_models(dear)}")
    stage.hold(bool(cheap), f"{len(cheap)} by {_models(cheap)}, since 80 % was spent or promised")
    stage.hold(
        bool(refused) and all(error.type == ErrorType.BUDGET_EXHAUSTED for error in refused),
        f"{len(refused)} runs refused before a model was called: {refused[0] if refused else ''}",
        {error.type for error in refused},
    )
    books = _books(refused)
    spent = sum(result.usage.cost_nanos for result in done)
    stage.hold(
        spent == books.settled <= books.limit,
        f"${dollars(spent)} spent of ${dollars(books.limit)}, by the books and by the sum of the answers",
        books,
    )
    served = [call for call in await stage.shop.calls("gemini") if call.status == 200]
    stage.hold(len(served) == len(done), f"{len(served)} model calls reached the provider, one a report", len(served))


async def _report(stage: Stage, number: int) -> RunResult | RunFailed:
    request = stage.request(
        f"Write a report of 3000 words on shipment {number}.", "demo-operations", f"report-{number}", session="rush"
    )
    started = await stage.surefoot.start(request)
    if number == 0:
        stage.show(started.run)
    try:
        return await stage.surefoot.result(started.run)
    except RunFailed as error:
        return error


def _models(results: list[RunResult]) -> str:
    return ", ".join(sorted({model for result in results for model in result.models}))


def _books(refused: list[RunFailed]) -> ScopeStatus:
    """The newest books that a refusal told."""
    told = [error.failure.scope for error in refused if error.failure and error.failure.scope]
    return max(told, key=lambda scope: scope.settled)
