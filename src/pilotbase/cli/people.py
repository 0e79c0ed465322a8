"""``pilotbase people`` and ``organisation``: who has an account on a hub, what operators do about it; organisations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pilotbase.cli.framework.declared import Command, OptionSpelling, add
from pilotbase.cli.framework.driving import Noun, open_base
from pilotbase.cli.framework.terminal import each, say, say_all
from pilotbase.documents.api.shapes import MOST_LISTED
from pilotbase.documents.moments import format_day, format_second
from pilotbase.documents.texts import Text, text
from pilotbase.operations import people

if TYPE_CHECKING:
    from pilotbase.documents.api.people import AccountDetails, AccountSummary, AuditEntry, JoiningDomain, ProposedRoles


app = Noun()
organisation = Noun()


@organisation.here("import")
def import_file(file: Path, yes: bool = False) -> None:
    """Register organisations from a spreadsheet: every problem is reported; either all are registered or none."""
    from pilotbase.worker.intake.imports import import_file as imported

    say_all(imported(open_base(), "organisations", file, yes))


def _say(one: AccountSummary) -> None:
    state = Text(code=f"people.state.{one.state}")
    said = {"person": one.person or "–", "name": one.name, "email": one.email, "state": state}
    say(text("people.line", **said))
    for membership in one.memberships:
        held = text("people.line_in", organisation=membership.organisation, roles=", ".join(membership.roles))
        say(text("people.line_manages", held=held) if membership.manages else held)


def _say_all(one: AccountDetails) -> None:
    _say(one)
    for token in one.tokens:
        until = format_day(token.expires_at)
        say(text("people.line_token", token=token.token, label=token.label, scope=token.scope, until=until))


def _say_proposal(one: ProposedRoles) -> None:
    roles = ", ".join(one.roles) or text("people.no_roles")
    said = {"number": one.number, "email": one.email, "organisation": one.organisation, "roles": roles}
    say(text("people.line_proposal", **said, name=one.proposed_by, until=format_day(one.expires_at)))


def _say_domain(one: JoiningDomain) -> None:
    say(text("people.line_in", organisation=one.domain, roles=", ".join(one.roles)))


def _say_entry(one: AuditEntry) -> None:
    said = {"number": one.number, "at": format_second(one.at), "organisation": one.organisation or "–"}
    say(text("people.line_log", **said, person=one.person or "–", action=one.done, about=" ".join(one.subjects)))


_FIRST, _MANAGES = OptionSpelling(positional=True), "--manager/--no-manager"
add(
    app,
    Command(
        "list",
        people.LIST,
        show=each(_say, text("people.none")),
        spelled={"q": OptionSpelling(positional=True, default="")},
        given={"limit": MOST_LISTED},
        without=("after",),
        of=lambda found: found.items,
    ),
    Command("show", people.SHOW, show=_say_all),
    Command("invite", people.INVITE, spelled={"email": _FIRST, "roles": _FIRST}),
    Command("domains", people.DOMAINS, show=each(_say_domain, text("people.none"))),
    Command("set-domain", people.SET_DOMAIN, spelled={"roles": _FIRST}),
    Command("end-domain", people.END_DOMAIN),
    Command("block", people.BLOCK),
    Command("unblock", people.UNBLOCK),
    Command("sign-out", people.END_SESSIONS),
    Command("reset-factor", people.RESET_FACTOR),
    Command("revoke-token", people.REVOKE_TOKEN),
    Command("roles", people.SET_ROLES, spelled={"roles": _FIRST, "manages": OptionSpelling(flag=_MANAGES)}),
    Command("proposals", people.PROPOSALS, show=each(_say_proposal, text("people.no_proposals"))),
    Command("consent", people.CONSENT),
    Command("refuse", people.REFUSE),
    Command(
        "audit",
        people.AUDIT,
        show=each(_say_entry, text("people.none_logged")),
        of=lambda found: found.items,
        without=("before",),
    ),
    Command("remove", people.SET_ROLES, said="end", given={"roles": [], "manages": None}),
)
