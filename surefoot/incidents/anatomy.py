"""Takes a runbook apart: its sections, with prose, code and commands told from each other."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token

TITLE = "Title"
"""What stands in the first heading."""

_WORD = re.compile(r"[^\W\d_]{2,}")
_SENTENCE = re.compile(r"[.!?:;]\s+|\n")


@dataclass
class Part:
    """One section. Prose is what stands outside code; commands are meant to be run, texts to be pasted elsewhere."""

    prose: str = ""
    spans: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    numbered: int = 0
    """Items of numbered lists."""
    items: int = 0
    """Items of all lists."""

    @property
    def words(self) -> list[str]:
        """Words of the prose, without those of times."""
        return [word for word in _WORD.findall(self.prose) if word != "UTC"]

    @property
    def sentences(self) -> list[str]:
        """Sentences of four words at least, in a form that can be compared."""
        found = (" ".join(_WORD.findall(one)).lower() for one in _SENTENCE.split(self.prose))
        return [one for one in found if one.count(" ") >= 3]

    @property
    def everything(self) -> str:
        return "\n".join((self.prose, *self.spans, *self.commands, *self.texts))


def parts(markdown: str) -> dict[str, Part]:
    """The sections by heading, in order; the title by ``TITLE``. A heading that comes twice is one section."""
    found: dict[str, Part] = {}
    part = Part()
    tokens = iter(MarkdownIt("commonmark").parse(markdown))
    numbered: list[bool] = []
    for token in tokens:
        if token.type == "heading_open" and token.tag in ("h1", "h2"):
            heading = next(tokens)
            part = found.setdefault(TITLE if token.tag == "h1" else heading.content, Part())
            if token.tag == "h1":
                _read_line(part, heading)
        elif token.type in ("ordered_list_open", "bullet_list_open"):
            numbered.append(token.type == "ordered_list_open")
        elif token.type in ("ordered_list_close", "bullet_list_close"):
            numbered.pop()
        elif token.type == "list_item_open":
            part.items += 1
            part.numbered += numbered[-1]
        else:
            _read(part, token)
    return found


def _read(part: Part, token: Token) -> None:
    if token.type == "inline":
        _read_line(part, token)
    elif token.type == "fence":
        (part.commands if token.info == "sh" else part.texts).append(token.content.rstrip("\n"))
    elif token.type in ("code_block", "html_block"):
        part.prose += f"{token.content}\n"


def _read_line(part: Part, line: Token) -> None:
    part.prose += f"{''.join(_pieces(part, line))}\n"


def _pieces(part: Part, line: Token) -> Iterator[str]:
    for token in line.children or ():
        if token.type == "code_inline":
            part.spans.append(token.content)
        elif token.type in ("softbreak", "hardbreak"):
            yield " "
        else:
            yield token.content
