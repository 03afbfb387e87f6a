"""Putting what came of tool calls into words."""

from surefoot.simulator.outcomes import Kind, Outcome
from surefoot.simulator.situation import Done, Situation, compact

LONGEST_QUOTE = 300


def tell(situation: Situation) -> str:
    """One sentence for each call of this request, in order, and what is remembered of those that are not shown."""
    remembered = [f"I remember that {fact}." for fact in situation.remembered]
    return " ".join([*remembered, *map(tell_one, situation.done)])


def tell_one(done: Done) -> str:
    if done.outcome.succeeded:
        return f"{done.call.tool} gave: {quote(compact(done.outcome.value))}"
    return tell_trouble(_spoken(done.call.tool), done.outcome)


def tell_trouble(what: str, outcome: Outcome) -> str:
    """What to say of something that was not done, and when to try again if the message told."""
    if outcome.kind is Kind.UNKNOWN:
        return f"I do not know whether {what} went through; a colleague will check it, so please do not repeat it."
    if outcome.kind is Kind.REJECTED:
        return f"A colleague decided against {what}: {quote(outcome.feedback)}"
    if outcome.when:
        return f"I am sorry, {what} is unavailable right now. Please try again {_adverb(outcome.when)}."
    return f"I am sorry, {what} did not work: {quote(outcome.text)}"


def quote(text: str) -> str:
    """The text, shortened."""
    flat = " ".join(text.split())
    return flat if len(flat) <= LONGEST_QUOTE else flat[: LONGEST_QUOTE - 1] + "…"


def _spoken(tool: str) -> str:
    return tool.replace("_", " ")


def _adverb(when: str) -> str:
    return when if when.split()[0].lower() in {"at", "after", "until", "from", "in"} else f"after {when}"
