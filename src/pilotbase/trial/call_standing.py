"""The standing of a call: the gate first, then S = w_t·T + w_e·E + w_p·P, each from 0 to 100.

T  comes from what the tender has shown, not from scores, which nobody sees: with k entrants an application at place p
   has 100·(k − p)/(k − 1). Teams that the cases cannot tell apart have the same place, so that E and P decide.
E  is the mean over the experts of their weighted points. With three to five scores a claim a plain mean finds the true
   order as often as models of severe experts do, or more often.
P  is 100·lowest price/price. The lowest counts as half of the median at least: an outlier buys no points.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pilotbase.data.labelling.agreement import LabelledTwice, agreement_interval, interval_alpha, value_of
from pilotbase.documents.board import TenderResult
from pilotbase.documents.call import (
    LEAST_AGREEMENT,
    CallFile,
    CallStanding,
    CallTerms,
    ExpertScore,
    GateFact,
    JudgedCall,
    PublishedCall,
    SealedClaim,
    SealedScore,
    StandingLine,
    TeamClaim,
)
from pilotbase.documents.call_history import drawn_order, set_aside
from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.quality import LabelFigure
from pilotbase.evidence.primitive import Floats

_Receipt = TypeVar("_Receipt", SealedClaim, SealedScore)
_RESAMPLES = 2000
_DECIMALS = 6
"""Points are rounded to so many decimals, so that every machine finds the same ones."""


def standing_of(
    published: PublishedCall,
    claims: Sequence[TeamClaim],
    judged: JudgedCall,
    tender: TenderResult | None,
    gates: Sequence[GateFact],
) -> CallStanding:
    """Return the standing of the opened ``claims``; the same facts always give the same one.

    ``gates``: of each claim, whether its application has passed a trial on the scenario of the call.
    """
    terms, by_claim = published.call.terms, {one.claim: one for one in gates}
    experts = expert_points(terms, claims, judged.scores)
    prices = _price_points([float(one.terms.price) for one in claims])
    tenders = _tender_points(claims, tender) if terms.weight_tender else None
    fixed = np.array(prices) * terms.weight_price / 100
    if tenders is not None:
        fixed = fixed + np.array(tenders) * terms.weight_tender / 100
    totals = fixed + experts.mean(axis=0) * terms.weight_experts / 100
    passed = np.array([by_claim[one.digest()].state == "passed" for one in claims])
    lines = [
        StandingLine(
            claim=one.digest(),
            leader=one.leader,
            application=one.terms.application,
            gate=by_claim[one.digest()].state,
            report=by_claim[one.digest()].report,
            tender=tenders[at] if tenders is not None else None,
            experts=_rounded(experts[:, at].mean()),
            price=prices[at],
            total=_rounded(totals[at]),
            place=None,
        )
        for at, one in enumerate(claims)
    ]
    return CallStanding(
        call=published.call.subject,
        terms=published.digest(),
        round=judged.round,
        judged=judged.digest(),
        tender=tender.digest() if tender is not None and terms.weight_tender else None,
        lines=tuple(_placed(lines)),
        agreement=agreement_of(experts),
        stays_first=_stays_first(fixed, experts, passed, terms.weight_experts / 100),
    )


def expert_points(terms: CallTerms, claims: Sequence[TeamClaim], scores: Sequence[ExpertScore]) -> Floats:
    """Return the points (experts in the order of their names, claims), from 0 to 100."""
    weights = np.array([one.weight for one in terms.criteria], dtype=np.float64)
    people = sorted({(one.reviewer.organisation, one.reviewer.person) for one in scores})
    places = {one.digest(): place for place, one in enumerate(claims)}
    found = np.zeros((len(people), len(claims)))
    for one in scores:
        shares = (np.array(one.points) - terms.lowest) / (terms.highest - terms.lowest)
        at = people.index((one.reviewer.organisation, one.reviewer.person)), places[one.claim]
        found[at] = 100 * float(shares @ weights) / float(weights.sum())
    return found


def are_at_odds(agreement: LabelFigure) -> bool:
    """Return whether experts agree so little that they talk and score once more."""
    return agreement.value is not None and agreement.value < LEAST_AGREEMENT


def agreement_of(points: Floats) -> LabelFigure:
    """Return Krippendorff's alpha of points (experts, claims) with its interval; each claim is an item."""
    reviewers, claims = points.shape
    scaled = (points - points.mean()) / (float(np.ptp(points)) or 1.0)
    statistic = interval_alpha(np.full(claims, reviewers), scaled.sum(axis=0), (scaled**2).sum(axis=0))
    value = value_of(statistic, claims)
    if claims < 2 or math.isnan(value):
        reason = "too_few_items" if claims < 2 else "one_class"
        return LabelFigure.model_validate({"measure": "krippendorff_alpha", "items": claims, "unmeasured": reason})
    differing = int((np.ptp(points, axis=0) > 0).sum())
    bounds = agreement_interval(statistic, LabelledTwice(claims, differing))
    if bounds is None:
        return LabelFigure(measure="krippendorff_alpha", items=claims, value=value, unmeasured="no_disagreement")
    return LabelFigure(
        measure="krippendorff_alpha",
        items=claims,
        value=_rounded(value),
        lower=_rounded(min(bounds.lower, value)),
        upper=_rounded(max(bounds.upper, value)),
        method="wider_of_two",
    )


def require_follows(file: CallFile) -> None:
    """Return if the standing in ``file`` follows from the rest of it; raises `InvalidProofError` naming what does not.

    Checked: every claim and every score is the one whose digest was received last in time, the experts are the drawn
    ones, each has scored each claim once, a panel that scored once more was at odds, and the standing is what the rules
    give.
    """
    subject, claims = file.published.call.subject, {one.digest(): one for one in file.claims}
    newest = {one.leader: one.claim for one in _by_time(file.receipts)}
    taking_part = {leader for leader in newest} - {one.leader for one in file.opened.aside}
    _require(set(claims) == set(newest.values()), "claims", subject)
    _require(tuple(file.opened.aside) == tuple(set_aside(_in_order(file.claims))), "aside", subject)
    counted = [newest[leader] for leader in sorted(taking_part)]
    _require(list(file.opened.claims) == counted, "opened", subject)
    salts = [one.salt for one in claims.values()]
    _require(drawn_order(file.opened.drawn, salts) == file.opened.drawn, "drawn", subject)
    out = {one.reviewer for one in file.released}
    panel = [one for one in file.opened.drawn if one not in out][: file.published.call.terms.panel]
    asked = sorted((claim, one.organisation, one.person) for claim in counted for one in panel)
    given = [(one.claim, one.reviewer.organisation, one.reviewer.person) for one in file.judged.scores]
    _require(sorted(given) == asked, "panel", subject)
    received = {(one.round, one.claim, one.reviewer): one.score for one in _by_time(file.score_receipts)}
    scores = [one for judged in (*file.earlier, file.judged) for one in judged.scores]
    _require(
        all(received.get((one.round, one.claim, one.reviewer)) == one.digest() for one in scores), "scores", subject
    )
    if file.talk is not None:
        about = [one for one in file.earlier if one.round == file.talk.round]
        terms, scored = file.published.call.terms, [claims[one] for one in counted]
        found_at_odds = [are_at_odds(agreement_of(expert_points(terms, scored, one.scores))) for one in about]
        _require(found_at_odds == [True], "talk", subject)
    gates = [GateFact(claim=one.claim, state=one.gate, report=one.report) for one in file.standing.lines]
    found = standing_of(file.published, [claims[one] for one in counted], file.judged, file.tender, gates)
    _require(found == file.standing, "standing", subject)


def _require(holds: bool, part: str, subject: str) -> None:
    if not holds:
        raise InvalidProofError("calls.does_not_follow", part=part, call=subject)


def _by_time(receipts: Sequence[_Receipt]) -> list[_Receipt]:
    return sorted(receipts, key=lambda one: one.received_at)


def _in_order(claims: Sequence[TeamClaim]) -> list[TeamClaim]:
    return sorted(claims, key=lambda one: one.leader)


def _tender_points(claims: Sequence[TeamClaim], tender: TenderResult | None) -> list[float]:
    """Return the points of the tender; who could not run in it has none."""
    places = tender.places() if tender is not None else {}
    points = {name: 100 * (len(places) - place) / (len(places) - 1) for name, place in places.items()}
    return [_rounded(points.get(one.terms.application, 0)) for one in claims]


def _price_points(prices: Sequence[float]) -> list[float]:
    lowest = max(min(prices), median(prices) / 2)
    return [_rounded(100 * min(lowest / price, 1)) for price in prices]


def _placed(lines: Sequence[StandingLine]) -> list[StandingLine]:
    """Return the lines in order; equal totals share a place, and who has not passed the gate has none."""
    ranked = sorted(lines, key=lambda one: (one.gate != "passed", -one.total, one.leader))
    totals = [one.total for one in ranked if one.gate == "passed"]
    placed = [one.model_copy(update={"place": 1 + sum(total > one.total for total in totals)}) for one in ranked]
    return [one if one.gate == "passed" else other for one, other in zip(placed, ranked, strict=True)]


def _stays_first(fixed: Floats, experts: Floats, passed: NDArray[np.bool_], weight: float) -> float | None:
    """Return the share of panels, drawn from the experts with replacement, in which the first still leads.

    A draw that it shares with others counts in part. The order of the tender stands: nobody sees its scores.
    """
    if not passed.any():
        return None
    totals = np.round(fixed + experts.mean(axis=0) * weight, _DECIMALS)
    first = int(np.flatnonzero(passed)[np.argmax(totals[passed])])
    drawn = np.random.default_rng(0).integers(0, len(experts), (_RESAMPLES, len(experts)))
    resampled = np.round(fixed + experts[drawn].mean(axis=1) * weight, _DECIMALS)[:, passed]
    leading = resampled == resampled.max(axis=1, keepdims=True)
    ours = leading[:, int(passed[:first].sum())]
    return _rounded(float((ours / leading.sum(axis=1)).mean()))


def _rounded(value: float) -> float:
    return round(float(value), _DECIMALS)
