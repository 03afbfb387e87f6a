"""What a worker's log looks like."""

import json
import subprocess
import sys

from surefoot.errors import ErrorType

PROGRAM = """
import logging
from surefoot import errors, logs
from surefoot.settings import load
logs.configure(load(REDIS_URL="redis://127.0.0.1", SUREFOOT_LOG_FORMAT="json", _env_file=None))
for error in (errors.retryable(errors.ErrorType.TOOL_RETRYABLE, "orders answered 503"), RuntimeError("a bug")):
    try:
        raise error
    except Exception:
        logging.getLogger("temporalio.activity").warning("failed", exc_info=True)
"""


def test_an_expected_failure_is_one_line_and_a_bug_keeps_its_traceback() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    expected, bug = (json.loads(line) for line in ran.stderr.splitlines())
    assert expected["error"] == f"{ErrorType.TOOL_RETRYABLE}: orders answered 503"
    assert "exception" not in expected
    assert "Traceback" in bug["exception"]
