"""The simulator as one application: worlds, each with models, back ends and what happens behind them."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from surefoot.simulator import backstage, gemini, mistral, storefront
from surefoot.simulator.sinks import opsgenie, pagerduty, slack, webhook
from surefoot.simulator.worlds import Worlds


async def _healthy(request: Request) -> PlainTextResponse:
    return PlainTextResponse("ok\n")


def create_app() -> Starlette:
    """Every world lives below ``/w/{world}`` and is made at its first use."""
    sinks = [*pagerduty.routes(), *opsgenie.routes(), *slack.routes(), *webhook.routes()]
    inside = [*gemini.routes(), *mistral.routes(), *storefront.routes(), *sinks, *backstage.routes()]
    app = Starlette(routes=[Route("/healthz", _healthy), Mount("/w/{world}", routes=inside)])
    app.state.worlds = Worlds()
    return app
