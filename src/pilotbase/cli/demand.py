"""``pilotbase demand``: demands in words, registered without data, and what may fit them."""

from __future__ import annotations

from pilotbase.cli import hub_records
from pilotbase.cli.framework.declared import Command, add, calls
from pilotbase.cli.framework.driving import Noun, build_request, is_remote, named, open_base
from pilotbase.cli.framework.terminal import AsJson, each
from pilotbase.cli.match import print_matches, words_of
from pilotbase.documents.permissions import Act
from pilotbase.documents.texts import text
from pilotbase.operations import matches, steps

app = Noun()
app.command("list")(hub_records.lister("demand"))
app.command("show")(hub_records.shower("demand"))


@app.anywhere("register")
def register(name: str, words: str, title: str = "", apart: str = "", joins: str = "", as_json: AsJson = False) -> None:
    """Register a demand in words, or change it; it needs no data."""
    if not is_remote():
        open_base(create=True)
    place = named(name)
    given = {"text": words_of(words), "title": title, "apart": apart, "joins": joins}
    asked = build_request(matches.REGISTER.takes, **place, sent=given)
    hub_records.print_record(calls(place["owner"]).call(matches.REGISTER, asked), as_json)


@app.anywhere("withdraw")
def withdraw(name: str, note: str = "", as_json: AsJson = False) -> None:
    """Withdraw a demand: only its owner and the base see it from then on."""
    place, step = named(name), steps.STEPS[Act.DEMAND_WITHDRAW]
    asked = build_request(step.takes, **place, brought={"note": note})
    hub_records.print_record(calls(place["owner"]).call(step, asked), as_json)


add(
    app,
    Command("sites", matches.SITES, show=each(hub_records.print_listed, text("demand.no_sites"))),
    Command("matches", matches.IN_WORDS, show=print_matches),
    Command("providers", matches.WORDED_PROVIDERS, show=print_matches),
)
