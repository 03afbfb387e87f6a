"""What tests and the demo ask of a world: its faults, its effects, its calls, its sinks."""

from collections.abc import Sequence

from pydantic import BaseModel, JsonValue, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from surefoot.simulator.answers import Answer, json_answer
from surefoot.simulator.delivery import deliver
from surefoot.simulator.faults import Fault
from surefoot.simulator.worlds import World


def _world(request: Request) -> World:
    world: World = request.app.state.worlds[request.path_params["world"]]
    return world


def _listed(entries: Sequence[BaseModel]) -> Answer:
    listed: list[JsonValue] = [entry.model_dump(mode="json") for entry in entries]
    return json_answer(200, listed)


async def effects(request: Request) -> Answer:
    """The effect log; ``?target=`` and ``?key=`` narrow it."""
    target, key = request.query_params.get("target"), request.query_params.get("key")
    return _listed(
        [
            entry
            for entry in _world(request).records.effects
            if target in (None, entry.target) and key in (None, entry.key)
        ]
    )


async def calls(request: Request) -> Answer:
    """Every request that came; ``?target=`` narrows it."""
    target = request.query_params.get("target")
    return _listed([entry for entry in _world(request).records.calls if target in (None, entry.target)])


async def set_fault(request: Request) -> Answer:
    try:
        fault = Fault.model_validate_json(await request.body())
    except ValidationError as error:
        problems: list[JsonValue] = [problem["msg"] for problem in error.errors()]
        return json_answer(422, {"error": {"code": "invalid", "problems": problems}})
    return json_answer(201, _world(request).faults.set(fault).model_dump(mode="json"))


async def list_faults(request: Request) -> Answer:
    return _listed(_world(request).faults.active)


async def clear_faults(request: Request) -> Response:
    """Every fault, or those of ``?target=``. Requests that hang already go on hanging."""
    _world(request).faults.clear(request.query_params.get("target"))
    return Response(status_code=204)


async def sink(request: Request) -> ASGIApp:
    """Take a page or message. The sink's name is its target for faults."""
    world, name = _world(request), request.path_params["name"]
    call = world.records.call(name, "post", method="POST", key=request.headers.get("idempotency-key"))
    raw = await request.body()
    body: JsonValue = await request.json() if "json" in request.headers.get("content-type", "") else raw.decode()

    def keep() -> Answer:
        return json_answer(202, {"n": world.sink(name, headers=dict(request.headers), body=body).n})

    def refuse(fault: Fault) -> Answer:
        return json_answer(fault.status, {"error": {"code": "fault"}})

    return await deliver(request, world.faults.strike(name, "post"), call, keep, refuse)


async def list_sink(request: Request) -> Answer:
    return _listed(_world(request).sinks.get(request.path_params["name"], []))


async def list_alerts(request: Request) -> Answer:
    """What the sinks were sent, repetitions absorbed; ``?target=`` narrows it."""
    target = request.query_params.get("target")
    return _listed([alert for alert in _world(request).alerts.all if target in (None, alert.target)])


def routes() -> list[Route]:
    return [
        Route("/alerts", list_alerts, methods=["GET"]),
        Route("/effects", effects, methods=["GET"]),
        Route("/calls", calls, methods=["GET"]),
        Route("/faults", set_fault, methods=["POST"]),
        Route("/faults", list_faults, methods=["GET"]),
        Route("/faults", clear_faults, methods=["DELETE"]),
        Route("/sinks/{name:path}", sink, methods=["POST"]),
        Route("/sinks/{name:path}", list_sink, methods=["GET"]),
    ]
