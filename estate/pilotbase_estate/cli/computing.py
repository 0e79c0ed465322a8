"""What the commands of computing power and of its vouchers share: arguments, the actor's view, parsing a demand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pilotbase.documents.errors import InputError

if TYPE_CHECKING:
    from pilotbase.workspace.store import View
    from pilotbase_estate.documents.resources import Resources

AsJson = Annotated[bool, typer.Option("--json", help="Print the document.")]
Programme = Annotated[str, typer.Argument(help="Name of the programme.")]
Job = Annotated[str, typer.Argument(help="What names the job, such as job:41.")]
Attempt = Annotated[int, typer.Option(help="Which attempt of the job.", min=0)]


def operators_view() -> View:
    """Return the view of this home's operator: anyone who holds the home acts for everyone in it."""
    from pilotbase.worker.base import open_base

    return open_base().lab.view


def demand_of(written: list[str]) -> Resources:
    """Return the demand that words such as ``cpu=4`` state; raises `InputError`."""
    from pilotbase_estate.documents.resources import Resources

    parts = [one.partition("=") for one in written]
    if any(not mark for _, mark, _ in parts):
        raise InputError("voucher.bad_demand", found=", ".join(written))
    asked: dict[str, Any] = {name: amount for name, _, amount in parts}
    return Resources.model_validate(asked)
