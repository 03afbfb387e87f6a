"""The registry holds what this worker can do, and names what it lacks."""

import pytest
from pydantic import JsonValue

from surefoot.contracts.tools import Effect
from surefoot.ports import ToolContext
from surefoot.schema import compiled
from surefoot.settings import Settings, load
from surefoot.tools.contract import Arguments, Design, tool
from surefoot.tools.http import Backend
from surefoot.tools.registry import DESIGNS, ToolRegistry

SHOP = "http://127.0.0.1:9/shop"


def settings(**addresses: str) -> Settings:
    return load(REDIS_URL="redis://127.0.0.1:9", _env_file=None, **addresses)


async def test_only_tools_with_a_back_end_are_there_and_the_others_name_their_variable() -> None:
    registry = ToolRegistry.from_settings(settings(CRM_API_URL=SHOP, ORDER_API_URL=SHOP))

    assert sorted(registry) == ["create_order", "look_up_customer", "look_up_order"]
    assert registry.missing == {
        "issue_refund": "REFUND_API_URL",
        "publish_summary": "PUBLISH_API_URL",
        "search": "SEARCH_API_URL",
        "send_email": "MAIL_API_URL",
        "start_return": "RETURN_PORTAL_URL",
    }
    await registry.aclose()


async def test_a_tool_is_found_by_its_exact_name_only() -> None:
    registry = ToolRegistry.from_settings(settings(ORDER_API_URL=SHOP))

    assert registry["create_order"].name == "create_order"
    for near in ("Create_Order", "create_order ", "create", "__class__"):
        assert near not in registry
        with pytest.raises(KeyError):
            registry[near]
    await registry.aclose()


class Weigh(Arguments):
    parcel: str


@tool(backend="order_url", effect=Effect.READ)
async def weigh(arguments: Weigh, context: ToolContext, backend: Backend) -> JsonValue:
    """Weigh a parcel."""
    return await backend.get("parcels", arguments.parcel, context=context)


async def test_a_tool_of_ones_own_is_one_function_and_one_line() -> None:
    registry = ToolRegistry.from_settings(settings(ORDER_API_URL=SHOP), designs=(*DESIGNS, weigh))

    assert registry["weigh"].effect is Effect.READ
    await registry.aclose()


@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.name)
def test_each_shipped_tool_is_described_for_the_model_and_names_a_setting(design: Design[Backend]) -> None:
    properties = design.offered.parameters["properties"]

    compiled(design.offered.parameters)
    assert isinstance(properties, dict)
    assert all(isinstance(field, dict) and field.get("description") for field in properties.values())
    assert Settings.model_fields[design.backend].alias


def test_each_effect_is_what_the_back_end_can_bear() -> None:
    effects = {design.name: design.offered.effect for design in DESIGNS}

    assert effects == {
        "create_order": Effect.KEYED,
        "issue_refund": Effect.VERIFIABLE,
        "look_up_customer": Effect.READ,
        "look_up_order": Effect.READ,
        "publish_summary": Effect.KEYED,
        "search": Effect.READ,
        "send_email": Effect.UNSAFE,
        "start_return": Effect.KEYED,
    }
