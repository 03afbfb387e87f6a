"""Writes `.env.example` from the settings: `python -m surefoot.dotenv > .env.example`."""

import ast
import inspect
import textwrap
from datetime import timedelta
from itertools import pairwise

from pydantic.fields import FieldInfo

from surefoot.settings import Settings

HEAD = """\
# Every setting that Surefoot reads, with its default. Copy this file to .env and set what differs, or set variables
# in the environment, which come first. What is not set is lent by the stack that `starter.py up` runs; what is set
# is not started by it. Besides these, Temporal's own TEMPORAL_* variables and profiles count (TLS, API key).
# Made by `python -m surefoot.dotenv`.
"""


def example() -> str:
    """The text of the file; every line of it is a comment."""
    notes = _docstrings()
    return "\n".join([HEAD, *(_entry(field, notes.get(name)) for name, field in Settings.model_fields.items())])


def _entry(field: FieldInfo, note: str | None) -> str:
    notes = [note] if note else []
    if field.is_required():
        notes.append("Needed, unless the embedded stack lends it.")
    comment = textwrap.wrap(" ".join(notes), 118, initial_indent="# ", subsequent_indent="# ")
    default = "" if field.is_required() else _written(field.default)
    return "\n".join([*comment, f"# {field.alias}={default}", ""])


def _written(value: object) -> str:
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
        return f"{seconds:g}s" if seconds >= 1 else f"{seconds * 1000:g}ms"
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _docstrings() -> dict[str, str]:
    """The strings that stand below fields in the source."""
    (body,) = (node.body for node in ast.parse(inspect.getsource(Settings)).body if isinstance(node, ast.ClassDef))
    return {
        field.target.id: note.value.value
        for field, note in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(note, ast.Expr)
        and isinstance(note.value, ast.Constant)
        and isinstance(note.value.value, str)
    }


if __name__ == "__main__":
    print(example(), end="")
