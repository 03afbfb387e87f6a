"""The workflow sandbox: which modules are deterministic and so need not be loaded anew for each run."""

import pkgutil
from pathlib import Path

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

DEFINITIONS = ("agent", "failure_handler")
"""The modules of the workflows themselves, which the sandbox loads for each run."""
PARTS = tuple(
    f"{__package__}.{module.name}"
    for module in pkgutil.iter_modules([str(Path(__file__).parent)])
    if module.name not in DEFINITIONS
)
"""What the workflows are made of. Loaded for each run, these cost more CPU than all else that a short run does."""
PASSED_THROUGH = ("surefoot", "jsonschema", "jsonschema_specifications", "referencing", "rpds", "attr", "attrs")
"""Contracts, errors, ids and the schema check; they hold no state, clock or I/O."""
REFERRED_TO = ("activities",)
"""Workflows name these and never call them."""
FINALISERS = ("opentelemetry", "redis")
"""Workflows may not import these. Finalisers of the worker's own connections import from them late, in whatever
thread collects the garbage."""


def runner() -> SandboxedWorkflowRunner:
    """The runner of tests and replays, and of workers that are told to use it.

    Workers run without: the workflows are this project's own, the tests run and replay them in here, and that what is
    passed through looks at no clock and throws no dice is held by a test that reads it.
    """
    shared = (*PARTS, *PASSED_THROUGH, *REFERRED_TO, *FINALISERS)
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*shared))
