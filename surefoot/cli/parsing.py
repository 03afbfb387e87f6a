"""Asks the command line whether it would take a command, without running it."""

import shlex

import typer
from typer.core import TyperGroup

from surefoot.cli.app import whole
from surefoot.cli.groups import Defaulting


def refusal(command: str) -> str | None:
    """Why a command as it would be pasted is refused; None where its names, options and arguments are right."""
    try:
        words = shlex.split(command)[1:]
    except ValueError as error:
        return str(error)
    if {"-h", "--help"} & set(words):
        return "it asks for help only"
    try:
        return _refused(words, whole())
    except typer.TyperException as error:
        return error.format_message()


def _refused(words: list[str], within: TyperGroup) -> str | None:
    if not words and not isinstance(within, Defaulting):
        return "it names no command"
    context = within.make_context("starter.py", words)
    _, found, rest = within.resolve_command(context, words)
    if found is None:
        return "it names no command"
    if isinstance(found, TyperGroup):
        return _refused(rest, found)
    found.make_context("starter.py", rest)  # raises where an argument or an option is wrong
    return None
