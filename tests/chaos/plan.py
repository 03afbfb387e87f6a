"""What a storm does and when: all of it follows from the seed."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from surefoot.contracts.runs import RunRequest
from surefoot.simulator.faults import Fault, FaultKind

TENANT = "storm"
WAVE = 20
"""Runs that start at once."""
TWICE = 7
"""Every so many-th key is started twice at the same moment."""
BACK_ENDS = ("crm", "orders", "returns", "refunds", "mail", "search", "publish")
PROVIDERS = ("gemini", "mistral")
SESSIONS = 3
"""Of each profile."""


class Blow(StrEnum):
    """What strikes the stack at a moment of the storm."""

    KILL_WORKER = "a worker is killed"
    RESTART_REDIS = "Redis is killed and started again"
    CUT_REDIS = "every connection to Redis is reset"
    RESTART_TEMPORAL = "Temporal is killed and started again"
    THROTTLE = "a provider answers 429"


@dataclass(frozen=True)
class Strike:
    """A blow, seconds after the storm's begin; ``choice`` picks among what it may hit."""

    at: float
    blow: Blow
    choice: int


@dataclass(frozen=True)
class Errand:
    """A run to start, and whether its key is started twice."""

    request: RunRequest
    twice: bool


@dataclass(frozen=True)
class Storm:
    """Waves of runs, ``pause`` seconds apart, the strikes meanwhile, and the faults that the back ends have."""

    seed: int
    waves: tuple[tuple[Errand, ...], ...]
    pause: float
    strikes: tuple[Strike, ...]
    faults: tuple[Fault, ...]

    @property
    def errands(self) -> list[Errand]:
        return [errand for wave in self.waves for errand in wave]

    @property
    def length(self) -> float:
        """Seconds until the last wave has started and the last blow has been struck."""
        return self.pause * len(self.waves)


def planned(seed: int, runs: int, *, pause: float, kill_every: float) -> Storm:
    """The storm of a seed; the same arguments give the same storm."""
    dice = random.Random(seed)
    errands = [_errand(seed, number, dice) for number in range(runs)]
    waves = tuple(tuple(errands[first : first + WAVE]) for first in range(0, runs, WAVE))
    length = pause * len(waves)
    strikes = sorted([*_kills(dice, length, kill_every), *_outages(dice, length)], key=lambda strike: strike.at)
    return Storm(seed, waves, pause, tuple(strikes), tuple(_faults(seed)))


def _kills(dice: random.Random, length: float, every: float) -> list[Strike]:
    times = [every * (number + dice.uniform(-0.3, 0.3)) for number in range(1, int(length / every) + 1)]
    return [Strike(at, Blow.KILL_WORKER, dice.randrange(100)) for at in times]


def _outages(dice: random.Random, length: float) -> list[Strike]:
    """Each at its part of the storm, so that Redis and Temporal are not always away together."""
    parts = (
        (0.15, Blow.THROTTLE),
        (0.25, Blow.RESTART_REDIS),
        (0.40, Blow.CUT_REDIS),
        (0.50, Blow.RESTART_TEMPORAL),
        (0.65, Blow.THROTTLE),
        (0.75, Blow.RESTART_REDIS),
        (0.90, Blow.CUT_REDIS),
    )
    return [Strike(length * (part + dice.uniform(-0.05, 0.05)), blow, dice.randrange(100)) for part, blow in parts]


def _faults(seed: int) -> list[Fault]:
    """One request in five fails, half of those that fail without an answer after the deed; one in ten hangs.

    A fault gets what the ones before it have let pass, so the later shares are a little larger.
    """
    shares = (
        (FaultKind.STATUS, 0.07),
        (FaultKind.RESET, 0.07 / 0.93),
        (FaultKind.APPLY_THEN_LOSE, 0.06 / 0.86),
        (FaultKind.HANG, 0.10 / 0.80),
    )
    return [
        Fault(target=target, kind=kind, status=500, rate=rate, seed=seed * 1000 + place * 10 + number)
        for place, target in enumerate(BACK_ENDS)
        for number, (kind, rate) in enumerate(shares)
    ]


def tag(number: int) -> str:
    """Stands in every deed of a run, so that the effect log tells whose it is."""
    return f"storm-{number:04}"


def _errand(seed: int, number: int, dice: random.Random) -> Errand:
    profile, prompt = dice.choice(_PROMPTS)
    session = f"{profile}-{dice.randrange(SESSIONS)}"
    request = RunRequest(
        prompt=prompt(tag(number)), profile=profile, key=f"{seed}-{number}", session=session, tenant=TENANT
    )
    return Errand(request, twice=number % TWICE == 0)


def _refund(tag: str) -> str:
    order = '{"order_id": "A-1004"}'
    refund = f'{{"order_id": "A-1004", "amount": "2.50", "reason": "{tag}"}}'
    return f"[[call look_up_order {order}]] [[call issue_refund {refund}]]"


def _return(tag: str) -> str:
    order = f'{{"order_id": "A-1002", "reason": "{tag}"}}'
    return f"[[parallel look_up_customer {{}} start_return {order}]]".replace("{}", '{"customer": "bob@example.com"}')


def _complaint(tag: str) -> str:
    return f"I am bob@example.com, my order A-1003 arrived broken, I want my money back. My reference is {tag}."


def _order_and_mail(tag: str) -> str:
    return f"Please order 2 mugs {tag}, then mail {tag}@example.com about it."


def _orders_at_once(tag: str) -> str:
    first, second = (f'{{"product": "{what} {tag}", "quantity": 1}}' for what in ("kettle", "teapot"))
    return f"[[parallel create_order {first} create_order {second}]]"


def _mail(tag: str) -> str:
    return f'[[call send_email {{"to": "{tag}@example.com", "subject": "Hello", "body": "A word from {tag}."}}]]'


def _research(tag: str) -> str:
    return f"Research teapots of {tag}, and publish a summary."


_PROMPTS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("support", _refund),
    ("support", _return),
    ("support", _complaint),
    ("operations", _order_and_mail),
    ("operations", _orders_at_once),
    ("operations", _mail),
    ("thrifty", _order_and_mail),
    ("research", _research),
)
