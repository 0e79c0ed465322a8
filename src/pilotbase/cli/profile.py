"""``pilotbase profile``: what somebody claims and what is proven; capabilities, stated one by one or imported."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pilotbase.cli.framework.declared import Command, OptionSpelling, add, call
from pilotbase.cli.framework.driving import Noun, named, open_base
from pilotbase.cli.framework.terminal import AsJson, answer, each, language, say, say_all
from pilotbase.cli.hub_records import read_part
from pilotbase.documents.base import Localized, localized
from pilotbase.documents.moments import format_day
from pilotbase.documents.texts import Text, text
from pilotbase.operations import profiles

if TYPE_CHECKING:
    from pilotbase.documents.capability import Capability, ListedCapability, Profile

app = Noun()


@app.anywhere("state")
def state(name: str, file: Path, as_json: AsJson = False) -> None:
    """State a capability of an organisation from a JSON file, or state it anew."""
    from pilotbase.documents.capability import NewCapability

    answer(call(profiles.STATE, **named(name), sent=read_part(NewCapability, file)), as_json, _print_stated)


@app.here("import")
def import_file(file: Path, yes: bool = False) -> None:
    """State the capabilities of a spreadsheet: every problem is reported; either all are stated or none."""
    from pilotbase.worker.intake.imports import import_file as imported

    say_all(imported(open_base(), "capabilities", file, yes))


def _print_stated(one: Capability) -> None:
    say(text("match.line", subject=one.subject, why=localized(one.title, language())))


def _print_listed(one: ListedCapability) -> None:
    said = {"organisation": one.organisation, "certificates": one.certificates, "day": format_day(one.stated_at)}
    say(text("profile.listed", subject=one.subject, kind=text(f"capability.{one.kind}"), **said))


def _print(found: Profile) -> None:
    say(text("match.line", subject=found.subject, why=localized(found.title, language())))
    say(text("profile.shown"))
    for name in ("accepted", "rejected", "withheld"):
        _print_line(text(f"profile.{name}"), str(getattr(found, name)))
    _print_line(text("match.evidence"), f"{found.evidence:.2f}")
    for fact in found.facts:
        _print_line(fact.what, fact.value)
    for one in found.certificates:
        verdict, status = text(f"verdict.{one.verdict}"), text(f"portal.status.{one.status}")
        title, until = localized(one.scenario_title, language()), format_day(one.expires_at)
        say(text("profile.certificate_line", scenario=title, verdict=verdict, status=status, day=until))
    if found.claims:
        say(text("profile.claimed"))
    for claim in found.claims:
        _print_line(claim.what, claim.value)
        if claim.shown_by is not None:
            shown = (
                text("profile.shown_by", count=len(claim.shown_by)) if claim.shown_by else text("profile.only_claimed")
            )
            say(text("profile.claim_shown", shown=shown))


def _print_line(what: Text, value: Text | Localized | str) -> None:
    said = localized(value, language()) if isinstance(value, Localized) else value
    say(text("profile.line", what=what, value=said))


def _subject(said: str) -> str:
    """Return the subject that was written: a name alone is an organisation's."""
    return said if ":" in said else f"organisation:{said}"


add(
    app,
    Command("show", profiles.SHOW, show=_print, spelled={"subject": OptionSpelling(positional=True, read=_subject)}),
    Command("list", profiles.LIST, show=each(_print_listed, text("profile.none"))),
    Command("withdraw", profiles.WITHDRAW),
)
