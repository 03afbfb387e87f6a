"""Every timeout and retry policy of the workflows, by name, with its reason."""

from datetime import timedelta

from temporalio.common import RetryPolicy

CHECK_TIMEOUT = timedelta(seconds=1)
"""A guardrail check is a local activity: a longer one would hold up the workflow task, updates and recovery."""
CHECK_RETRY = RetryPolicy(initial_interval=timedelta(milliseconds=50), maximum_attempts=2)

STORE_PATIENCE = timedelta(seconds=1)
"""First wait for Redis, on a durable timer; doubles up to ``STORE_PATIENCE_MAX``."""
STORE_PATIENCE_MAX = timedelta(seconds=30)

BUDGET_PATIENCE = timedelta(seconds=1)
"""Wait for money that other calls hold, if the store gives no better hint."""
MODEL_PATIENCE = timedelta(seconds=10)
"""Wait for a model when none may be used, if no breaker says until when."""
PROBE_PATIENCE = timedelta(seconds=2)
"""Wait for a model whose probe is under way: it ends with its call, within seconds."""
SHORTEST_WAIT = timedelta(milliseconds=200)

PIN_TIMEOUT = timedelta(seconds=5)
PIN_RETRY = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_attempts=3)

MODEL_OVERHEAD = timedelta(seconds=10)
"""What a model activity may take beside the provider's answer: batches to Redis, three of them tried for 2 s each."""
MODEL_WINDOW = timedelta(minutes=30)
"""For all attempts of one model call, with the waits that the provider asks for."""

TOOL_OVERHEAD = timedelta(seconds=6)
"""What a tool activity may take beside the call: two batches to Redis, each tried for 2 s."""
TOOL_WINDOW = timedelta(minutes=10)
"""For one tool call with all its attempts; Redis blips and lost workers spend none of the attempts."""
TOOL_RETRY = RetryPolicy(initial_interval=timedelta(milliseconds=500), maximum_interval=timedelta(seconds=10))

CLOSE_TIMEOUT = timedelta(seconds=10)
CLOSE_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30))
"""For booking what is left when a run ends, within the profile's ``store_wait``."""

INCIDENT_TASK_TIMEOUT = timedelta(seconds=5)
"""A workflow task whose worker died is handed on after this long, instead of 10 s."""


def model_retry(attempts: int) -> RetryPolicy:
    """The provider's own Retry-After goes before this backoff."""
    return RetryPolicy(
        initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30), maximum_attempts=attempts
    )


TRIAGE_TIMEOUT = timedelta(seconds=5)
TRIAGE_RETRY = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=30))
"""For ever: until it is known who is to be told, nobody is told."""
PAGE_TIMEOUT = timedelta(seconds=10)
"""One attempt at one message on one channel."""
PAGE_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30), maximum_attempts=10
)
"""For about three minutes of a channel's silence, or as long as it asks for by Retry-After. Time without a worker
counts for nothing, so that a page is late then, and not lost."""
COMPOSE_TIMEOUT = timedelta(seconds=30)
"""One attempt at a runbook; reading a long history takes most of it."""
COMPOSE_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1))
"""For ever: an incident without a runbook is of little use, and a deploy may mend what fails."""
COMPOSE_GRACE = timedelta(minutes=2)
"""A resolved incident waits this long for its runbook before it closes without one."""
WATCH_TIMEOUT = timedelta(seconds=10)
"""One look whether what failed works again."""
WATCH_AT_MOST = timedelta(hours=1)
"""The looks come less and less often, down to this."""
ONCE = RetryPolicy(maximum_attempts=1)
PROBE_TIMEOUT = timedelta(seconds=20)
"""One tiny real call of a model, which has 10 s, with its batches to Redis, each tried for 2 s."""
PROBE_HEARTBEAT = timedelta(seconds=10)
PROBE_WINDOW = timedelta(minutes=1)
"""A resolved incident waits this long for the probe that leads runs back; a route that stays ends with its lease."""
REROUTE_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30))
"""For ever: only the store's absence fails it."""
ENRICH_TIMEOUT = timedelta(seconds=25)
"""The model has 15 s."""
ENRICH_WINDOW = timedelta(minutes=1)
"""A hint that comes later is worth little."""
RECORD_TIMEOUT = timedelta(seconds=10)
RECORD_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1))
RECORD_WINDOW = timedelta(days=7)
"""A resolved incident waits this long for its record before it closes without one."""
SIGNALS_A_RUN = 5_000
"""An incident continues as new after so many: the server refuses more than 10,000 to one run."""


def watch_retry(every: timedelta) -> RetryPolicy:
    """A look that saw no recovery is an attempt that failed: the next one is Temporal's, and leaves no history."""
    return RetryPolicy(initial_interval=every, maximum_interval=max(every, WATCH_AT_MOST))


def route_back_retry(every: timedelta) -> RetryPolicy:
    """As above, and always as often: each look lets the route hold on."""
    return RetryPolicy(initial_interval=every, maximum_interval=every, backoff_coefficient=1)
