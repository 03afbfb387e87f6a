"""The order of the scenes, and what stands around them."""

from surefoot.demo import budgets, outages, publication, refunds
from surefoot.demo.stage import Stage
from surefoot.embedded.python import starter
from surefoot.errors import SurefootError

SCENES = (
    ("A customer wants money back", refunds.answer),
    ("The same request comes twice", refunds.repeat),
    ("A worker dies between a refund and its report", refunds.lose_a_worker),
    ("The orders back end hangs", outages.hang),
    ("The orders back end recovers", outages.recover),
    ("Fifty runs at once on one budget", budgets.rush),
    ("A summary that a human has to approve", publication.publish),
)
COMMANDS = ("runs", "incidents list", "breakers", "run 'Where is my order A-1003?' --profile demo-support --follow")
"""To look around with, while it stays up."""


async def perform(stage: Stage, *, keep: bool) -> None:
    """Play every scene; on the first step that does not do what it says, tell and stop."""
    stage.say("Starting Temporal, Redis, a simulated shop with its models, and two workers ...")
    async with stage.stack:
        try:
            await stage.open()
            _introduce(stage)
            for number, (title, scene) in enumerate(SCENES, start=1):
                stage.scene(number, title)
                await scene(stage)
                await stage.told()
        except (SurefootError, TimeoutError) as error:
            stage.fail(error)
            await stage.told()
            return
        finally:
            await stage.close()
        stage.finished = True
        stage.say(f"\nAll seven scenes did what they say, in {stage.elapsed.seconds} s.")
        await stage.told()
        if keep:
            await _stay(stage)


def _introduce(stage: Stage) -> None:
    stage.say(f"Temporal UI: {stage.settings.temporal_ui}")
    stage.say("The profiles are the demo's: deadlines of 1 s, circuits open for 3 s, a lost worker noticed in 3 s.")


async def _stay(stage: Stage) -> None:
    stage.say("Staying up. In another terminal:")
    for step in (*starter(stage.stack.folder), *(f"./starter.py {command}" for command in COMMANDS)):
        stage.say(f"  {step}")
    stage.say(f"  ./starter.py budget --profile demo-operations --session rush-{stage.nonce}")
    stage.say("Ctrl-C ends it, and removes what it kept.")
    await stage.told()
    raise await stage.stack.watch()
