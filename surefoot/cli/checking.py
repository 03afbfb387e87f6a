"""The doctor's findings as a table."""

from collections.abc import Sequence

from rich.text import Text

from surefoot.cli.exits import ExitCode
from surefoot.cli.output import Answer
from surefoot.cli.plain import one_line, public
from surefoot.doctor import Finding, Verdict
from surefoot.doctor import examine as _examine

_COLOURS = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.FAIL: "bold red"}


async def examine(*, send_test_notification: bool = False) -> Answer:
    """Code 1 if anything fails; a warning is none."""
    findings = await _examine(send_test_notification=send_test_notification)
    healthy = all(finding.verdict is not Verdict.FAIL for finding in findings)
    document = {"healthy": healthy, "findings": public(findings)}
    return Answer(document, _lines(findings), code=ExitCode.DONE if healthy else ExitCode.FAILED)


def _lines(findings: Sequence[Finding]) -> list[Text]:
    widest = max(len(one.subject) for one in findings)
    return [_line(one, widest) for one in findings]


def _line(finding: Finding, width: int) -> Text:
    remedy = f"; {finding.remedy}" if finding.remedy else ""
    return Text.assemble(
        (f"{finding.verdict:<5}", _COLOURS[finding.verdict]),
        f"{finding.subject:<{width}}  ",
        one_line(finding.fact + remedy),
    )
