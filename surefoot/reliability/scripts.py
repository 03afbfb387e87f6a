"""The Lua scripts: one file is one atomic transition, and its header says KEYS, ARGV and the reply.

A script's source is ``lua/clock.lua``, its folder's ``common.lua`` and its own file, in that order.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

FRAGMENTS = ("clock.lua", "{folder}/common.lua")


@dataclass(frozen=True)
class Script:
    """A script as Redis knows it: by the SHA-1 of its source."""

    name: str
    source: str
    sha: str


@cache
def script(name: str) -> Script:
    """Read a script by folder and name, such as ``breaker/admit``."""
    folder = name.partition("/")[0]
    lua = files("surefoot.reliability") / "lua"
    parts = [*(fragment.format(folder=folder) for fragment in FRAGMENTS), f"{name}.lua"]
    source = "".join(lua.joinpath(part).read_text(encoding="utf-8") for part in parts)
    return Script(name=name, source=source, sha=hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())
