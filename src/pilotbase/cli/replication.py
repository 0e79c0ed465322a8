"""``pilotbase replication``: kits by which other sites take certified applications over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pilotbase.cli.framework.declared import Command, add, call
from pilotbase.cli.framework.driving import Noun, named
from pilotbase.cli.framework.terminal import AsJson, answer, each, say
from pilotbase.cli.hub_records import read_part
from pilotbase.documents.texts import text
from pilotbase.operations import replication

if TYPE_CHECKING:
    from pilotbase.documents.replication import Replication

app = Noun()


@app.anywhere("state")
def state(name: str, file: Path, as_json: AsJson = False) -> None:
    """State the parts of a kit that only the supplier knows, from a JSON file."""
    from pilotbase.documents.replication import StatedKit

    answer(call(replication.STATE, **named(name), sent=read_part(StatedKit, file)), as_json, _print)


def _print_line(found: Replication) -> None:
    state = text(f"replication.state.{found.state}") if found.state else text("replication.fact.no_kit")
    kind = text("replication.benchmark") if found.benchmark else text("replication.not_benchmark")
    told = {"state": state, "kind": kind, "accepted": found.accepted, "sites": len(found.sites)}
    say(text("replication.line", application=found.application, **told))


def _print(found: Replication) -> None:
    _print_line(found)
    for need in found.requirements:
        met = "unknown" if need.met is None else "met" if need.met else "not_met"
        told = {"what": text(f"replication.need.{need.name}"), "met": text(f"replication.{met}"), "fact": need.fact}
        say(text("replication.need_line", **told))
    for site in found.sites:
        day = site.issued_at.date().isoformat()
        say(text("replication.site_line", site=site.site, verdict=text(f"verdict.{site.verdict}"), day=day))
    for one in found.kit.parts if found.kit is not None else ():
        absent = text("replication.none_because", words=one.words) if one.words else text("replication.lacks")
        say(text("replication.part_line", part=text(f"replication.part.{one.name}"), found=one.digest or absent))


add(
    app,
    Command("list", replication.LIST, show=each(_print_line, text("replication.none"))),
    Command("show", replication.SHOW, show=_print),
    Command("agree", replication.AGREE, show=_print),
    Command("admit", replication.ADMIT, show=_print),
)
