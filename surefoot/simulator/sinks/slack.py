"""Slack's incoming webhooks: takes well-formed Block Kit in which nothing is forged."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp

from surefoot.contracts.base import JsonObject
from surefoot.simulator.answers import Answer
from surefoot.simulator.sinks import keys
from surefoot.simulator.sinks.intake import Letter, Refused, Strict, at_most, parsed, taken

TARGET = "slack"

_ESCAPED = r"&(?:amp|lt|gt);|[^&<>]"
_PLAIN = re.compile(rf"(?:{_ESCAPED})+", re.DOTALL)
_MARKED = re.compile(rf"(?:{_ESCAPED}|<https?://(?:&amp;|[^\s&<>|])+(?:\|(?:{_ESCAPED})*?)?>)+", re.DOTALL)


def _is_plain(text: str) -> str:
    if not _PLAIN.fullmatch(text):
        raise ValueError("has an & or an angle bracket that is not escaped")
    return text


def _is_marked(text: str) -> str:
    if not _MARKED.fullmatch(text):
        raise ValueError("has an & that is not escaped, or angle brackets around what is no link of the web")
    return text


class Plain(Strict):
    type: Literal["plain_text"]
    text: Annotated[str, Field(min_length=1), at_most(3_000), AfterValidator(_is_plain)]
    emoji: bool = True


class Marked(Strict):
    type: Literal["mrkdwn"]
    text: Annotated[str, Field(min_length=1), at_most(3_000), AfterValidator(_is_marked)]
    verbatim: bool = False


def _short(limit: int) -> AfterValidator:
    def check(text: Plain | Marked) -> Plain | Marked:
        if len(text.text.encode("utf-16-le")) // 2 > limit:
            raise ValueError(f"has more than {limit} characters")
        return text

    return AfterValidator(check)


BlockId = Annotated[str, at_most(255)]


class Header(Strict):
    type: Literal["header"]
    block_id: BlockId
    text: Annotated[Plain, _short(150)]


class Section(Strict):
    type: Literal["section"]
    block_id: BlockId = ""
    text: Plain | Marked | None = None
    fields: list[Annotated[Plain | Marked, _short(2_000)]] = Field(default=[], max_length=10)

    @model_validator(mode="after")
    def _says_something(self) -> "Section":
        if self.text is None and not self.fields:
            raise ValueError("a section needs text or fields")
        return self


class Posted(Strict):
    text: Annotated[str, Field(min_length=1), at_most(40_000), AfterValidator(_is_marked)]
    blocks: list[Annotated[Header | Section, Field(discriminator="type")]] = Field(min_length=1, max_length=50)
    unfurl_links: bool = True
    unfurl_media: bool = True

    @property
    def mark(self) -> tuple[str, str]:
        """The notice and the dedup key, which Surefoot puts into the header's block id."""
        notice, _, key = self.blocks[0].block_id.partition(":")
        return notice, key


def _take(letter: Letter) -> Answer:
    if letter.request.path_params["path"] != keys.SLACK.removeprefix("services/"):
        raise Refused(403, "invalid_token")
    posted = parsed(Posted, letter.body)
    notice, key = posted.mark
    alerts = letter.world.alerts
    if notice == "trigger":
        alerts.trigger(TARGET, key, title=posted.text)
    elif notice == "acknowledge":
        alerts.acknowledge(TARGET, key)
    else:
        alerts.resolve(TARGET, key)
    letter.keep(TARGET)
    return _answer(200, "ok")


def _answer(status: int, text: str) -> Answer:
    return Answer(status, "text/plain; charset=utf-8", (text.encode(),))


def _complain(status: int, problems: tuple[str, ...]) -> Answer:
    return _answer(status, "invalid_blocks: " + "; ".join(problems) if status == 400 else problems[0])


def _name(request: Request, body: JsonObject) -> str:
    blocks = body.get("blocks")
    first = blocks[0] if isinstance(blocks, list) and blocks else None
    return str(first.get("block_id", "post")).partition(":")[0] if isinstance(first, dict) else "post"


async def _posted(request: Request) -> ASGIApp:
    return await taken(request, TARGET, _name, _take, _complain)


def routes() -> list[Route]:
    return [Route("/slack/services/{path:path}", _posted, methods=["POST"])]
