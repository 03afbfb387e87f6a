"""What a command leaves behind when it is done."""

import asyncio
import threading

from surefoot.cli.acting import attempt
from surefoot.cli.output import Answer


def test_a_call_that_was_given_up_may_report_after_the_command_is_done() -> None:
    over, reported = threading.Event(), threading.Event()

    async def work() -> Answer:
        loop = asyncio.get_running_loop()

        def report_late() -> None:
            over.wait()
            loop.call_soon_threadsafe(int)
            reported.set()

        threading.Thread(target=report_late).start()
        return Answer({})

    attempt(work, as_json=True)
    over.set()
    assert reported.wait(5)
