"""What someone sees who waits for a run: its questions, and on request its steps and words."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from textwrap import shorten

from rich.console import Console
from rich.status import Status
from rich.text import Text

from surefoot.cli.output import console, remark, show
from surefoot.cli.plain import one_line, plain
from surefoot.client import Retry
from surefoot.contracts.approvals import ApprovalRequest
from surefoot.contracts.runs import Phase, RunProgress, Step

TAIL = 200
"""Characters of the newest words that a terminal shows beside the spinner."""
_AFTER_THE_ANSWER = (Phase.ACTING, Phase.WAITING_FOR_APPROVAL, Phase.ENDED)


def doing(progress: RunProgress) -> str:
    """Phase, turn, tokens and money in one line."""
    turn = progress.turn if progress.phase in _AFTER_THE_ANSWER else progress.turn + 1
    usage = progress.result.usage
    return f"{progress.phase}, turn {turn}, {usage.input_tokens} + {usage.output_tokens} tokens, ${usage.cost}"


def again(retry: Retry) -> str:
    """What is done once more, when, and why."""
    moment = f" at {retry.next_at.astimezone():%H:%M:%S}" if retry.next_at else ""
    return f"{retry.activity}: attempt {retry.attempt}{moment}, since {retry.error}"


def question(run: str, one: ApprovalRequest) -> Text:
    """What waits for a human, and how to answer."""
    return remark(
        f"waiting for approval of {one.tool}: `./starter.py approve {run} {one.id} --by YOU`, or reject; "
        "`./starter.py approvals` shows it"
    )


class Watcher:
    """Shows questions that wait for a human, each once; nothing else."""

    def __init__(self, out: Console) -> None:
        self._out = out
        self._asked: set[str] = set()
        self._missed = ""

    def ask(self, run: str, requests: tuple[ApprovalRequest, ...]) -> None:
        for one in requests:
            if one.id not in self._asked:
                show(self._out, question(run, one))
        self._asked = {one.id for one in requests}

    def show(self, progress: RunProgress) -> None:
        """What the run tells of itself."""

    def hear(self, turn: int, words: str) -> None:
        """Some words of the model's answer in a turn."""

    def retry(self, retrying: tuple[Retry, ...]) -> None:
        """What is done once more."""

    def miss(self, why: str) -> None:
        """What could not be learnt just now; told once."""
        if why != self._missed:
            show(self._out, remark(why))
        self._missed = why


class Waiting(Watcher):
    """Shows beside a spinner what the run is doing."""

    def __init__(self, out: Console, status: Status) -> None:
        super().__init__(out)
        self._status = status

    def show(self, progress: RunProgress) -> None:
        self._status.update(doing(progress))

    def retry(self, retrying: tuple[Retry, ...]) -> None:
        if retrying:
            self._status.update(one_line(again(retrying[-1])))


class Lines(Watcher):
    """Shows each step as a line, and the words as they come."""

    def __init__(self, out: Console) -> None:
        super().__init__(out)
        self._last: Step | None = None
        self._answered = 0
        self._heard = ""
        self._retried: set[tuple[str, int]] = set()

    def show(self, progress: RunProgress) -> None:
        steps = _after(self._last, progress.steps)
        self._list(step for step in steps if step.turn < progress.turn)
        if progress.turn > self._answered:
            self._finish(progress.text)
            self._answered = progress.turn
        self._list(step for step in steps if step.turn >= progress.turn)

    def _list(self, steps: Iterable[Step]) -> None:
        for step in steps:
            show(self._out, Text(f"turn {step.turn}: {one_line(step.what)}"))
            self._last = step

    def hear(self, turn: int, words: str) -> None:
        if turn > self._answered:
            self._heard += words
            self._say(words)

    def retry(self, retrying: tuple[Retry, ...]) -> None:
        """Each attempt once."""
        for one in retrying:
            if (one.activity, one.attempt) not in self._retried:
                show(self._out, remark(one_line(again(one))))
        self._retried |= {(one.activity, one.attempt) for one in retrying}

    def miss(self, why: str) -> None:
        if why != self._missed and self._heard:
            self._out.print()
        super().miss(why)

    def _say(self, words: str) -> None:
        self._out.print(Text(plain(words)), end="", soft_wrap=True)

    def _finish(self, text: str) -> None:
        """Say what had not been heard of an answer, and end the line."""
        if text.startswith(self._heard):
            self._say(text[len(self._heard) :])
        if text or self._heard:
            self._out.print()
        self._heard = ""


def _after(last: Step | None, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The steps that came after one that has been shown; the run keeps the newest only."""
    return steps[steps.index(last) + 1 :] if last in steps else steps


class Spinner(Lines):
    """Shows steps as lines, and beneath them what the run is doing and the newest words."""

    def __init__(self, out: Console, status: Status) -> None:
        super().__init__(out)
        self._status = status
        self._doing = "starting"

    def show(self, progress: RunProgress) -> None:
        super().show(progress)
        self._doing = doing(progress)
        self._turn_over()

    def _say(self, words: str) -> None:
        self._turn_over()

    def _finish(self, text: str) -> None:
        self._heard = ""

    def _turn_over(self) -> None:
        tail = shorten(plain(self._heard)[-TAIL:], TAIL, placeholder="")
        self._status.update(Text.assemble(self._doing, ("\n" + tail if tail else "", "dim")))


@contextmanager
def watcher(*, follow: bool) -> Iterator[Watcher]:
    """On standard error; the spinner on a terminal only."""
    out = console(stderr=True)
    if not out.is_terminal:
        yield Lines(out) if follow else Watcher(out)
        return
    with out.status("starting" if follow else "waiting; Ctrl-C leaves the run going") as status:
        yield Spinner(out, status) if follow else Waiting(out, status)
