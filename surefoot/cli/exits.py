"""Exit codes of the command line, and which error leaves with which."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a script learns without reading."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    BUDGET = 3
    UNREACHABLE = 4
    APPROVAL = 5
    CANCELLED = 6
    INTERRUPTED = 130
    UNHEARD = 141


EPILOG = (
    "Exit codes: 0 done, 1 run failed, 2 wrong usage, 3 refused by budget, 4 unreachable, "
    "5 waiting for approval (--no-wait), 6 cancelled, 130 interrupted, 141 output not taken."
)


def exit_code(error: Exception) -> ExitCode:
    """The code for an error of ``surefoot.errors``; anything else has failed."""
    from surefoot.errors import ErrorType, InvalidInput, NotFound, RunCancelled, RunFailed, Unreachable

    match error:
        case RunFailed(type=ErrorType.BUDGET_EXHAUSTED):
            return ExitCode.BUDGET
        case RunCancelled():
            return ExitCode.CANCELLED
        case Unreachable():
            return ExitCode.UNREACHABLE
        case InvalidInput() | NotFound():
            return ExitCode.USAGE
        case _:
            return ExitCode.FAILED
