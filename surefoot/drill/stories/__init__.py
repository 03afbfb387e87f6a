"""A story for every kind of incident."""

from collections.abc import Mapping

from surefoot.contracts.incidents import IncidentKind
from surefoot.drill.stories import back_ends, models, money, people, stores
from surefoot.drill.story import Story

STORIES: Mapping[IncidentKind, Story] = {
    IncidentKind.BREAKER_OPEN: back_ends.hang,
    IncidentKind.BUDGET_SOFT: money.come_near_the_cap,
    IncidentKind.BUDGET_HARD: money.reach_the_cap,
    IncidentKind.TOOL_FAILED: back_ends.fail,
    IncidentKind.OUTCOME_UNKNOWN: back_ends.lose_an_answer,
    IncidentKind.RUN_FAILED: models.refuse,
    IncidentKind.MODEL_OUTAGE: models.go_out,
    IncidentKind.STORE_WIPED: stores.forget,
    IncidentKind.APPROVAL_EXPIRED: people.keep_silent,
    IncidentKind.PRICE_DRIFT: models.grow_dearer,
    IncidentKind.STORE_OUTAGE: stores.fall_silent,
}
ALONE = frozenset({IncidentKind.STORE_WIPED, IncidentKind.STORE_OUTAGE})
"""Stories that take the store from everybody who uses it. The others disturb nobody: no two fail the same thing."""
