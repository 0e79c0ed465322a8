"""``pilotbase data readers``: who has read a dataset, or the hidden cases of a scenario, as the log says."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.data_catalogue import AsJson
from pilotbase.cli.edge.asking import named
from pilotbase.cli.edge.declared import call
from pilotbase.cli.edge.driving import remote
from pilotbase.cli.edge.terminal import print_json, say
from pilotbase.documents.moments import format_minute
from pilotbase.documents.quantities import format_bytes
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import ReadingKind
from pilotbase.operations import datasets

if TYPE_CHECKING:
    from pilotbase.documents.api.datasets import Readers, ReadingTold


def reader(kind: str) -> Callable[..., None]:
    """Return the command that lists who has read one of a kind: a dataset, or a scenario's hidden cases."""

    @remote
    def readers(  # noqa: PLR0913 - each is an option
        name: Annotated[str, typer.Argument(help="Such as plant/milling.")],
        what: Annotated[
            ReadingKind | None, typer.Option("--kind", help="Only what was opened, used (let in), refused.")
        ] = None,
        organisation: Annotated[str, typer.Option(help="Only for this organisation.")] = "",
        channel: Annotated[str, typer.Option(help="Only by this way out, such as pb:download.")] = "",
        before: Annotated[int | None, typer.Option(help="Only entries of the log below this number.", min=0)] = None,
        limit: Annotated[int, typer.Option(help="At most so many lines.", min=1, max=200)] = 50,
        as_json: AsJson = False,
    ) -> None:
        """List who has read what is yours, when, for what, by which way: each line is an entry of the log."""
        read = datasets.READERS if kind == "dataset" else datasets.SCENARIO_READERS
        narrowed = {"kind": what, "organisation": organisation, "channel": channel, "before": before, "limit": limit}
        _print(call(read, **named(name), **narrowed), as_json)

    return readers


def _print(found: Readers, as_json: bool) -> None:
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    for one in found.items:
        _print_line(one)
    say(text("reader.total", count=found.total, size=found.size))
    for facet, counts in found.facets.items():
        if counts:
            spelled = ", ".join(f"{one.value} {one.count}" for one in counts)
            say(text("reader.counts", facet=Text(code=f"reader.facet.{facet}"), counts=spelled))
    if found.next is not None:
        say(text("reader.older", number=found.next))


def _print_line(one: ReadingTold) -> None:
    what = Text(code=f"reader.kind.{one.kind}")
    if one.what or one.reason:
        of = Text(code=f"reader.what.{one.what}" if one.what else f"reader.reason.{one.reason}")
        what = text("reader.of", kind=what, what=of)
    why = Text(code=f"reader.step.{one.step}") if one.step else one.channel or "–"
    amount = text("reader.row_count", rows=one.rows) if one.rows else format_bytes(one.size) if one.size else "–"
    said = {"at": format_minute(one.at), "organisation": one.organisation, "what": what, "why": why}
    say(text("reader.line", number=one.number, amount=amount, **said))
