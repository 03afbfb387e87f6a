"""Asks the command line whether it would take a command, without running it."""

import shlex

import typer
from typer.core import TyperGroup
from typer.main import get_command

from surefoot.cli.app import app
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
        return _refused(words)
    except typer.TyperException as error:
        return error.format_message()


def _refused(words: list[str]) -> str | None:
    named, rest = get_command(app), words
    while isinstance(named, TyperGroup):
        if not rest and not isinstance(named, Defaulting):
            return "it names no command"
        context = named.make_context("starter.py", rest)
        _, found, rest = named.resolve_command(context, rest)
        if found is None:
            return "it names no command"
        named = found
    named.make_context("starter.py", rest)  # raises where an argument or an option is wrong
    return None
