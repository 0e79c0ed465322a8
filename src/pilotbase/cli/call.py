"""``pilotbase call``: calls for a task, from draft to milestone; and the check of a standing away from the base."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pilotbase.cli.framework.declared import Command, OptionSpelling, add, call
from pilotbase.cli.framework.driving import Noun, named
from pilotbase.cli.framework.terminal import AsJson, answer, each, print_value, say
from pilotbase.cli.hub_records import read_part
from pilotbase.documents.errors import InputError
from pilotbase.documents.moments import format_minute
from pilotbase.documents.texts import Text, text
from pilotbase.operations import calls

if TYPE_CHECKING:
    from pilotbase.documents.api.calls import CallTold
    from pilotbase.documents.call import (
        CallAppeal,
        CallAward,
        CallStanding,
        JudgedCall,
        SealedClaim,
        SealedScore,
        TeamClaim,
    )
    from pilotbase.documents.record import Reviewer

app = Noun()


@app.anywhere("draft")
def draft(name: str, file: Path, as_json: AsJson = False) -> None:
    """Draft a call on your own scenario from a JSON file, or change the draft."""
    from pilotbase.documents.api.calls import NewCall

    answer(call(calls.DRAFT, **named(name), sent=read_part(NewCall, file)), as_json, _print)


@app.anywhere("claim")
def claim(name: str, file: Path, as_json: AsJson = False) -> None:
    """Hand in your team's claim from a JSON file; it is sealed until the call is opened."""
    from pilotbase.documents.call import ClaimTerms

    answer(call(calls.CLAIM, **named(name), sent=read_part(ClaimTerms, file)), as_json, _print_receipt)


@app.here("verify")
def verify(file: Path, as_json: AsJson = False) -> None:
    """Check offline that the standing in the file of a call follows from the rest of it: 0 it does, 3 it does not."""
    from pilotbase.documents.call import CallFile
    from pilotbase.trial.call_standing import require_follows

    found = read_part(CallFile, file)
    require_follows(found)
    answer(found.standing, as_json, _print_standing)


def _print(one: CallTold) -> None:
    stage, closes = Text(code=f"calls.stage.{one.stage}"), format_minute(one.closes_at)
    said = {"call": f"{one.owner}/{one.name}", "title": one.title, "prize": one.prize, "currency": one.currency}
    say(text("calls.line", stage=stage, closes=closes, **said))


def _print_receipt(one: SealedClaim) -> None:
    say(text("calls.received", claim=one.claim, at=format_minute(one.received_at)))


def _print_score(one: SealedScore) -> None:
    say(text("calls.received", claim=one.claim, at=format_minute(one.received_at)))


def _print_claim(one: TeamClaim) -> None:
    said = {"leader": one.leader, "members": ", ".join(one.team), "price": one.terms.price}
    say(text("calls.claim_line", claim=one.digest(), application=one.terms.application, **said))


def _print_scores(found: JudgedCall) -> None:
    for one in found.scores:
        points = " ".join(map(str, one.points))
        said = {"claim": one.claim, "organisation": one.reviewer.organisation, "words": one.words}
        say(text("calls.score_line", points=points, **said))


def _print_standing(found: CallStanding) -> None:
    for one in found.lines:
        gate = text(f"calls.gate_is.{one.gate}")
        tender = "–" if one.tender is None else f"{one.tender:.1f}"
        points = {"total": f"{one.total:.1f}", "tender": tender, "experts": f"{one.experts:.1f}"}
        say(
            text(
                "calls.standing_line",
                place=one.place or "–",
                leader=one.leader,
                gate=gate,
                price=f"{one.price:.1f}",
                **points,
            )
        )
    if found.agreement.value is not None:
        say(text("calls.alpha", alpha=f"{found.agreement.value:.2f}"))
    if found.stays_first is not None:
        say(text("calls.stays", share=f"{100 * found.stays_first:.0f}"))


def _print_award(one: CallAward) -> None:
    say(text("calls.award_line", team=", ".join(one.team), place=one.place, grounds=one.grounds or "–"))


def _print_appeal(one: CallAppeal) -> None:
    outcome = text(f"calls.outcome.{one.outcome or 'open'}")
    said = {"organisation": one.appeal.organisation, "grounds": one.appeal.grounds}
    say(text("calls.appeal_line", number=one.appeal.number, outcome=outcome, **said))


def _read_reviewers(written: list[str]) -> list[Reviewer]:
    from pilotbase.documents.record import Reviewer

    parts = [one.partition("/") for one in written]
    try:
        return [Reviewer(organisation=organisation, person=person) for organisation, _, person in parts]
    except ValueError:
        raise InputError("calls.reviewer_spelled") from None


_FIRST: Any = OptionSpelling(positional=True)
add(
    app,
    Command("list", calls.LIST, show=each(_print, text("calls.none"))),
    Command("show", calls.SHOW, show=_print),
    Command("publish", calls.PUBLISH, show=_print),
    Command(
        "reviewers",
        calls.REVIEWERS,
        show=_print,
        spelled={"reviewers": OptionSpelling(positional=True, kind=list[str], read=_read_reviewers)},
    ),
    Command("open", calls.OPEN, show=_print),
    Command("claims", calls.CLAIMS, show=each(_print_claim)),
    Command("score", calls.SCORE, show=_print_score, spelled={"claim": _FIRST, "points": _FIRST}),
    Command("scores", calls.SCORES, show=_print_scores),
    Command("release", calls.RELEASE, show=_print),
    Command("talk", calls.TALK, show=_print, spelled={"words": _FIRST}),
    Command("tender", calls.TENDER, show=_print),
    Command("rank", calls.RANK, show=_print_standing),
    Command("award", calls.AWARD, show=_print_award, spelled={"leader": _FIRST}),
    Command("appeal", calls.APPEAL, show=_print_appeal, spelled={"grounds": _FIRST}),
    Command("decide", calls.DECIDE, show=_print_appeal),
    Command("reached", calls.REACHED, show=_print, spelled={"words": _FIRST}),
    Command("paid", calls.PAID, show=_print),
    Command("file", calls.FILE, show=print_value),
)
