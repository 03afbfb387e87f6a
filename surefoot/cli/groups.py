"""Groups of commands of which one is meant when none is named."""

from typing import Any, ClassVar

from typer.core import TyperGroup


class Defaulting(TyperGroup):
    """Without a command, or with options at once, the default one is meant; ``--help`` is the group's own."""

    default: ClassVar[str]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401  # typer names no public type for it
        if ctx.resilient_parsing and not args:  # a shell asks for the commands
            return super().parse_args(ctx, args)
        return super().parse_args(ctx, self._named(ctx.help_option_names, args))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401  # as above
        return super().resolve_command(ctx, self._named(ctx.help_option_names, args))

    def _named(self, help_names: list[str], args: list[str]) -> list[str]:
        unnamed = not args or (args[0].startswith("-") and args[0] not in help_names)
        return [self.default, *args] if unnamed else args


class Listing(Defaulting):
    """``list`` is meant."""

    default = "list"


class Showing(Defaulting):
    """``show`` is meant."""

    default = "show"
