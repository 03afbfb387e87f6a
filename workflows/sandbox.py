"""The workflow sandbox: which modules are deterministic and so need not be loaded anew for each run."""

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

PASSED_THROUGH = ("surefoot", "jsonschema", "jsonschema_specifications", "referencing", "rpds", "attr", "attrs")
"""Contracts, errors, ids and the schema check; they hold no state, clock or I/O. It halves the CPU of a run."""
FINALISERS = ("opentelemetry", "redis")
"""Workflows may not import these. Finalisers of the worker's own connections import from them late, in whatever
thread collects the garbage."""


def runner() -> SandboxedWorkflowRunner:
    """The runner of every worker and replayer of these workflows."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH, *FINALISERS)
    return SandboxedWorkflowRunner(restrictions=restrictions)
