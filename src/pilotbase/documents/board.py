"""Board 排行榜 and tender 比选: how the applications on a scenario compare, as its owner and its suppliers see it.

A board ranks what is handed in by and by, and proves nothing. A tender decides once, on the same hidden cases for all,
which application is better.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import pydantic

from pilotbase.documents.base import Day, Document, Localized, Moment, Name, Part
from pilotbase.documents.hashes import Digest, digest_json, hex_of
from pilotbase.documents.limits import EndReason
from pilotbase.documents.plan import ApplicationReference, ScenarioReference, UnitDraw
from pilotbase.documents.scenario import Contact
from pilotbase.documents.subjects import Subject, name_of
from pilotbase.documents.texts import Text, text

MOST_ENTRANTS = 20
FEWEST_CASES = 20
"""Fewer could not separate `MOST_ENTRANTS` applications, whatever they answer."""


class BoardSubmission(Document, published=True):
    """One application version on one board: it is scored once, however often it is sent or interrupted."""

    document: Literal["board-submission/1"] = "board-submission/1"
    board: Digest
    """The slice's record in the vault."""
    sealed: Digest
    application: ApplicationReference
    number: int = pydantic.Field(ge=1)
    """Number of the supplier's submission on this board."""
    submitted_at: Moment


class BoardEntry(Document, published=True):
    """What a board reveals about a submission: only whether it beat the board's best, and the best score afterwards."""

    document: Literal["board-entry/1"] = "board-entry/1"
    submission: Digest
    application: ApplicationReference
    end: EndReason
    improved: bool
    """Whether it beat the previous best by at least the board's step."""
    released: float
    """The best score of the board after this submission: its own if it improved, else the previous best."""
    submitted_at: Moment


class Board(Document, published=True):
    """The current state of a board. Its scores certify nothing: they come from a slice that no trial ever scores."""

    document: Literal["board/1"] = "board/1"
    slice: Digest
    scenario: Name
    owner: Contact
    measure: str
    better: Literal["higher", "lower"]
    cases: int = pydantic.Field(ge=1)
    allowed: int = pydantic.Field(ge=1)
    """Submissions allowed per supplier."""
    used: dict[str, int] = pydantic.Field(default_factory=dict)
    """Submissions so far, per supplier."""
    ranked: tuple[BoardEntry, ...] = ()
    """The submissions that beat all earlier ones, best first; the others are reported only to their supplier."""
    entries: int | None = None
    """Submissions allowed in all; None, as for the next three: a board of an earlier version."""
    improvements: int | None = None
    """Improvements shown before the board ends."""
    step: float | None = None
    """Scores are shown in steps of this, in the unit of the measure, never better than measured."""
    band: float | None = None
    """With 95 % probability no score shown is better by more than this than it would be on all such cases; None: a
    board of an earlier version, for which no such bound holds."""

    @property
    def ended(self) -> bool:
        """Return whether it takes no more submissions."""
        full = self.entries is not None and sum(self.used.values()) >= self.entries
        return full or (self.improvements is not None and len(self.ranked) >= self.improvements)


class SeenBoard(Part):
    """A scenario's board, as one actor may see it."""

    scenario: str
    title: Localized | str
    measure: str
    better: Literal[">=", "<="]
    """``>=``: a higher score is better."""
    allowed: int
    """Submissions allowed per supplier."""
    entries: int
    """Submissions allowed in all."""
    improvements: int
    """Improvements shown before the board ends."""
    board: Board | None
    """None: no submissions yet, or none by the caller; only suppliers on the board see the standings."""
    own: tuple[BoardEntry, ...]
    """The results of the caller's own submissions, newest first."""


class TenderTerms(Part):
    """The terms of a tender, fixed before the first entry."""

    measure: str = pydantic.Field(min_length=1, max_length=200)
    """A measure that is a mean over cases, such as ``accuracy`` or ``recall(failure)``."""
    cases: int = pydantic.Field(ge=FEWEST_CASES, le=1_000_000)
    """Where the criteria count units, as many whole units are drawn as have so many cases on average."""
    margin: float = pydantic.Field(default=0.0, ge=0, lt=1e15)
    """By more than this, in the unit of the measure, one application is better than another."""
    tolerance: float = pydantic.Field(default=0.02, gt=0, lt=1e15)
    """An application this close to the best one may be named as best."""
    alpha: float = pydantic.Field(default=0.05, ge=0.001, le=0.2)
    until: Day | None = None
    """Last day for entries."""


class Tender(Document, published=True):
    """A call to a tender on a scenario."""

    document: Literal["tender/1"] = "tender/1"
    scenario: Subject
    version: Digest
    """Of the scenario."""
    owner: str
    terms: TenderTerms
    opened_at: Moment

    @property
    def identity(self) -> str:
        return hex_of(self.digest())


class TenderEntry(Document, published=True):
    """One organisation's entry: the version of its application at that moment."""

    document: Literal["tender-entry/1"] = "tender-entry/1"
    tender: Digest
    application: Subject
    version: Digest
    supplier: str
    entered_at: Moment


class ClosedTender(Document, published=True):
    """The entries of a tender, frozen: nothing about them changes from here on."""

    document: Literal["tender-closed/1"] = "tender-closed/1"
    tender: Digest
    entries: tuple[Digest, ...] = pydantic.Field(min_length=2, max_length=MOST_ENTRANTS)


class TenderPlan(Document, published=True):
    """What a tender runs: all that matters for its result, frozen before any hidden case leaves."""

    document: Literal["tender-plan/1"] = "tender-plan/1"
    scenario: ScenarioReference
    sealed: Digest
    terms: TenderTerms
    draw: UnitDraw | None = None
    """The whole units that are drawn in place of the terms' cases, if the scenario's criteria count units."""
    entrants: tuple[ApplicationReference, ...] = pydantic.Field(min_length=2, max_length=MOST_ENTRANTS)
    nonce: str
    order_commitment: Digest
    frozen_at: Moment
    software: str

    @property
    def cases(self) -> int:
        """Return how many hidden cases are asked; of whole units, at most."""
        return self.terms.cases if self.draw is None else self.draw.cases

    @property
    def entered(self) -> Digest:
        """The digest of the entrants, as the one application that the hidden set's attempt knows."""
        return entered_digest(self.entrants)


def entered_digest(entrants: Iterable[ApplicationReference]) -> Digest:
    """Return the digest of the entrants of a tender, in their order."""
    return digest_json([one.digest for one in entrants])


class Separated(Part):
    """One application is better than another by more than the margin."""

    better: Subject
    worse: Subject
    cases: int
    """After about how many entries this was known, to a tenth."""


class TenderResult(Document, published=True):
    """The result for the owner: a partial order. It holds no score, because exact scores give cases away."""

    document: Literal["tender-result/1"] = "tender-result/1"
    plan: Digest
    terms: TenderTerms
    entrants: tuple[Subject, ...]
    separated: tuple[Separated, ...]
    best: tuple[Subject, ...]
    """Within the tolerance of the best one."""
    copies: tuple[tuple[Subject, Subject], ...]
    """Pairs that gave the same wrong answers far more often than chance does."""
    ended: tuple[EndReason, ...]
    """How each entrant's run ended."""
    decided_at: Moment

    def places(self) -> dict[Subject, int]:
        """Return each entrant's place: 1, or one more than the lowest of those that were better."""
        found = dict.fromkeys(self.entrants, 1)
        for most in range(2, len(self.entrants) + 1):
            for one in self.separated:
                found[one.worse] = max(found[one.worse], min(found[one.better] + 1, most))
        return found


class TenderPlace(Document, published=True):
    """The result for one supplier: its own place, and no other's."""

    document: Literal["tender-place/1"] = "tender-place/1"
    plan: Digest
    application: Subject
    end: EndReason
    others: int
    better_than: int
    worse_than: int
    best: bool

    @property
    def not_separated(self) -> int:
        """Return from how many others these cases cannot tell it apart."""
        return self.others - self.better_than - self.worse_than


class SeenTender(Part):
    """A tender, as one actor may see it."""

    identity: str
    scenario: Subject
    owner: str
    terms: TenderTerms
    opened_at: Moment
    stage: Literal["open", "running", "failed", "decided"]
    reason: str | None
    """Why it failed, for the owner and the base."""
    entries: tuple[TenderEntry, ...]
    """A supplier sees only its own."""
    result: TenderResult | None
    """For the owner and the base."""
    place: TenderPlace | None
    """The supplier's own."""


def order_in_words(result: TenderResult) -> Iterator[Text]:
    """Yield a sentence for each pair that is separated, and one for the best."""
    for one in result.separated:
        better, worse = name_of(one.better), name_of(one.worse)
        yield text("tender.better", better=better, worse=worse, margin=f"{result.terms.margin:g}", cases=one.cases)
    if not result.separated:
        yield text("tender.none_separable")
    if result.best:
        names = ", ".join(map(name_of, result.best))
        yield text("tender.best", names=names, tolerance=f"{result.terms.tolerance:g}")


def tender_lines(result: TenderResult) -> Iterator[Text]:
    """Yield the result in sentences."""
    terms = result.terms
    yield text("tender.decided", count=len(result.entrants), cases=terms.cases, measure=terms.measure)
    yield from order_in_words(result)
    for first, second in result.copies:
        yield text("tender.copies", first=name_of(first), second=name_of(second))
    yield text("tender.guarantee", alpha=f"{terms.alpha:g}")
