"""The rules of the scripted model, in the order in which they are asked."""

from collections.abc import Callable
from typing import TypeAlias

from surefoot.simulator.reply import Reply
from surefoot.simulator.rules import directives, memory, oncall, operations, prose, research, support
from surefoot.simulator.situation import Situation

Rule: TypeAlias = Callable[[Situation], Reply | None]

RULES: tuple[Rule, ...] = (
    memory.remember,
    directives.obey,
    oncall.explain,
    operations.operate,
    support.help_customer,
    research.research,
    prose.summarise,
    prose.report,
)


def decide(situation: Situation) -> Reply:
    """The first rule that has something to say decides."""
    for rule in RULES:
        if reply := rule(situation):
            return reply
    return prose.answer(situation)
