"""The ledger: the right to perform a side effect, and its recorded result, by the rules of ``lua/ledger/``."""

import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import JsonValue

from surefoot.contracts.base import JsonObject
from surefoot.contracts.guardrails import Act
from surefoot.contracts.tools import Claim
from surefoot.errors import InvalidInput, NotFound, Superseded
from surefoot.ports import Busy, Doubtful, Fate, Replay
from surefoot.reliability.keys import tagged
from surefoot.reliability.store import Row, Step, Store, run
from surefoot.reliability.times import milliseconds, moment, moment_or_none, span

REMEMBERED = timedelta(days=35)
"""How long a claim is known after it was last touched; longer than Temporal's retention of 30 days."""
GONE = "gone"
"""What the followers of a claim are told whose attempt failed."""

_MOMENTS = ("lease", "lands", "doubt", "settled_at")
_NUMBERS = ("attempt", "fence", "attempts")
_SETTLEMENT = ("act", "settled", "by", "reason")
_UNSETTLED = {
    "live": "somebody works on it; wait until the lease is over",
    "done": "its result is recorded",
    "landing": "its last request may still land; wait until it no longer can",
    "clear": "nothing about it is in doubt, so it can be tried again as it is",
}


_JSON = json.JSONEncoder(allow_nan=False, separators=(",", ":"))


def written(content: JsonValue) -> str:
    """A result as the ledger keeps it; raises ``InvalidInput`` if it is not JSON."""
    try:
        return _JSON.encode(content)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"a result that is not JSON cannot be recorded: {error}") from None


@dataclass(frozen=True)
class Waiting:
    """Somebody works on it, for the remaining time at most."""

    remaining: timedelta


class Ledger:
    """Claims in Redis. Each ``…_step`` method makes the step of a batch."""

    def __init__(self, store: Store, prefix: str, remembered: timedelta = REMEMBERED) -> None:
        self._store = store
        self._prefix = prefix
        self._memory = milliseconds(remembered)

    def _keys(self, effect_key: str) -> tuple[str, str, str]:
        key = tagged(self._prefix, "ledger", effect_key)
        return key, f"{key}:wake", f"{key}:followers"

    def claim_step(
        self,
        effect_key: str,
        *,
        owner: str,
        attempt: int,
        lease: timedelta,
        mark_sent: bool,
        lands_within: timedelta,
        in_doubt: bool = False,
    ) -> Step[Claim | Replay | Busy | Doubtful]:
        def read(row: Row) -> Claim | Replay | Busy | Doubtful:
            word, fence, attempts, doubt, remaining, result = row
            match word:
                case "done":
                    return Replay(json.loads(result), int(attempts))
                case "unknown":
                    return Doubtful(int(attempts))
                case "busy":
                    return Busy(span(remaining))
            until = moment_or_none(doubt)
            return Claim(
                key=effect_key,
                owner=owner,
                fence=int(fence),
                attempts=int(attempts),
                in_doubt=until is not None,
                settle_after=until,
            )

        landing = milliseconds(lands_within)
        forgotten = landing if in_doubt else 0
        arguments = (owner, attempt, milliseconds(lease), int(mark_sent), self._memory, landing, forgotten)
        return run("ledger/claim", self._keys(effect_key), arguments, read)

    async def mark_sent(self, claim: Claim, *, lands_within: timedelta) -> Claim:
        """Raises ``Superseded`` if the claim is another's now: nothing may be sent."""

        def read(row: Row) -> Claim:
            word, attempts, doubt = row
            if word == "stale":
                raise Superseded(f"the claim {claim.key!r} has passed from {claim.owner!r} to another owner")
            return _with_doubt(claim.model_copy(update={"attempts": int(attempts)}), doubt)

        arguments = (claim.fence, claim.attempts, milliseconds(lands_within), self._memory)
        return await self._store.one(run("ledger/sent", self._keys(claim.key), arguments, read))

    async def renew(self, claim: Claim, lease: timedelta) -> bool:
        arguments = (claim.fence, milliseconds(lease), self._memory)
        return await self._store.one(run("ledger/renew", self._keys(claim.key), arguments, lambda row: row[0] == "1"))

    def complete_step(self, claim: Claim, content: JsonValue) -> Step[bool]:
        """False if the claim is another's now: the result is not recorded."""
        arguments = (claim.fence, written(content), self._memory, claim.attempts)
        return run("ledger/complete", self._keys(claim.key), arguments, lambda row: row[0] == "done")

    def fail_step(self, claim: Claim, fate: Fate, *, reached: bool) -> Step[bool]:
        """False if the claim is another's now: nothing is changed."""
        arguments = (claim.fence, fate.value, int(reached), self._memory)
        return run("ledger/fail", self._keys(claim.key), arguments, lambda row: row[0] != "stale")

    async def follow(self, effect_key: str, within: timedelta) -> Replay | None:
        """Wait for the holder's result; None if it failed, its lease ended, or the time is over."""
        follower = uuid.uuid4().hex
        found = await self._store.one(self._follow_step(effect_key, "join", follower))
        if not isinstance(found, Waiting):
            return found
        outcome = await self._store.pop(self._keys(effect_key)[1], min(within, found.remaining))
        if outcome == GONE:
            return None
        if outcome:
            attempts, _, result = outcome.partition(" ")
            return Replay(json.loads(result), int(attempts))
        last = await self._store.one(self._follow_step(effect_key, "leave", follower))
        return last if isinstance(last, Replay) else None

    def _follow_step(self, effect_key: str, word: str, follower: str) -> Step[Replay | Waiting | None]:
        def read(row: Row) -> Replay | Waiting | None:
            state, attempts, remaining, result = row
            if state == "wait":
                return Waiting(span(remaining))
            return Replay(json.loads(result), int(attempts)) if state == "done" else None

        return run("ledger/follow", self._keys(effect_key), (word, follower), read)

    async def settle(self, effect_key: str, result: str | None, act: Act) -> JsonObject:
        """Record what an operator says of an effect in doubt: done with a result, or not done without one."""
        state = "free" if result is None else "done"
        arguments = (act.id, state, result or "", act.by, act.reason, self._memory)
        settling = run("ledger/settle", self._keys(effect_key), arguments, lambda row: row[0])
        word = await self._store.one(settling)
        claim = await self.show(effect_key)
        if claim is None:
            raise NotFound(f"no claim {effect_key!r}: nobody has tried this effect, or it is forgotten")
        if word in _UNSETTLED:
            raise InvalidInput(f"the claim {effect_key!r} cannot be settled: {_UNSETTLED[word]}")
        return claim

    async def show(self, effect_key: str) -> JsonObject | None:
        """The claim as operators read it; None if there is none."""

        def read(row: Row) -> JsonObject | None:
            fields = dict(zip(row[::2], row[1::2], strict=True))
            return _shown(fields) if fields else None

        return await self._store.one(Step(("HGETALL", self._keys(effect_key)[0]), read))


def _with_doubt(claim: Claim, doubt: str) -> Claim:
    settle_after: datetime | None = moment_or_none(doubt)
    return claim.model_copy(update={"in_doubt": settle_after is not None, "settle_after": settle_after})


def _shown(fields: dict[str, str]) -> JsonObject:
    shown: JsonObject = {"state": fields.get("state", ""), "owner": fields.get("owner", "")}
    shown |= {name: int(fields[name]) for name in _NUMBERS if name in fields}
    shown |= {name: moment(fields[name]).isoformat() for name in _MOMENTS if int(fields.get(name) or 0)}
    shown |= {name: fields[name] for name in _SETTLEMENT if name in fields}
    if "result" in fields:
        shown["result"] = json.loads(fields["result"])
    return shown
