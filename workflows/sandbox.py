"""The workflow sandbox: which modules are deterministic and so need not be loaded anew for each run."""

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

PASSED_THROUGH = (
    "surefoot",
    *("jsonschema", "jsonschema_specifications", "referencing", "rpds", "attr", "attrs"),
    "opentelemetry",
)
"""Contracts, errors, ids and the schema check; they hold no state, clock or I/O. It halves the CPU of a run."""


def runner() -> SandboxedWorkflowRunner:
    """The runner of every worker and replayer of these workflows."""
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH))
