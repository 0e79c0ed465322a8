"""Values on the command line that cannot be read: told in our sentences and the reader's language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from pilotbase.documents.errors import InputError


class Commands(TyperGroup):
    """All commands: a value that is none of its option's kind is told as any other problem of input is."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            told = _told(error)
            if told is None:
                raise
            from pilotbase.cli.edge.terminal import shown

            typer.echo(shown(told), err=True)
            raise typer.Exit(told.exit_code) from None


def _told(error: typer.BadParameter) -> InputError | None:
    """Return what is wrong with a value, in our words; None where these say less than typer's."""
    import pydantic

    from pilotbase.documents.errors import InputError
    from pilotbase.documents.loading import issues_of

    cause, context, option = error.__cause__, error.ctx, error.param
    if not isinstance(cause, pydantic.ValidationError) or context is None or option is None:
        return None
    place = context.command_path
    issues = [one.model_copy(update={"path": option.opts[0]}) for one in issues_of(place, cause)]
    return InputError.from_issues(place, issues)
