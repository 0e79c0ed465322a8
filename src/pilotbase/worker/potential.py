"""The potential of scenarios as reviewers score it: under seal until the last score is in, then opened all at once.

Whoever is tied to the owner scores nothing of the owner's. Each version of a scenario is scored anew; until all scores
of the new one are in, those of the version before count.
"""

from __future__ import annotations

from pilotbase.catalogue.records import are_tied
from pilotbase.documents.api.ledger import PotentialTold, ScoreOfPotential
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.errors import BarredError, RefusedError
from pilotbase.documents.hashes import digest_bytes
from pilotbase.documents.permissions import DeskAct, ReadScope, SubjectRelation, permitted
from pilotbase.documents.record import Reviewer
from pilotbase.documents.roadmap import (
    SCORES,
    JudgedPotential,
    PotentialScore,
    SealedPotential,
    judged_potential_head,
)
from pilotbase.documents.subjects import holder_of, name_of
from pilotbase.worker.base import Base
from pilotbase.worker.trials.calls import IsMember, new_salt, seal_document, unseal_document
from pilotbase.workspace.actors import parties, require_may_begin
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.listings import require_listing
from pilotbase.workspace.store import View


def score_potential(base: Base, view: View, scenario: str, given: tuple[int, str], known: IsMember) -> PotentialTold:
    """Seal the actor's score (grade, reasons); until the last one is in, another one replaces it.

    Raises:
        NotFoundError: the actor sees no such scenario.
        RefusedError: the actor is no reviewer, or has a tie to the owner.
        BarredError: the scores of this version are opened.
    """
    require_may_begin(DeskAct.SCORE, view.actor)
    version, owner, (potential, words) = require_listing(view, scenario).digest, holder_of(scenario), given
    assert view.actor.person is not None
    reviewer = Reviewer(organisation=view.actor.organisation, person=view.actor.person)
    if are_tied(base.lab.view, reviewer.organisation, owner) or known(owner, reviewer.person):
        raise RefusedError("roadmap.reviewer_tied", organisation=reviewer.organisation, owner=owner)
    before = _own(base, view, scenario, version)
    if before is not None and (before.potential, before.words) == (potential, words):
        return tell_potential(base, view, scenario)
    score = PotentialScore(
        scenario=scenario, version=version, reviewer=reviewer, potential=potential, words=words, salt=new_salt()
    )
    sealed = seal_document(base, score, _context(score))
    with view.transaction("potential.scored") as change:
        if _is_judged(base, scenario, version):  # another score may have opened them meanwhile
            raise BarredError("roadmap.scores_opened", scenario=name_of(scenario))
        receipt = SealedPotential(
            scenario=scenario,
            version=version,
            reviewer=reviewer,
            score=score.digest(),
            blob=digest_bytes(sealed),
            received_at=change.now,
        )
        change.put(receipt, parties(), fields={"scenario": scenario, "version": version})
    _open_complete(base, scenario, version)
    return tell_potential(base, view, scenario)


def tell_potential(base: Base, view: View, scenario: str) -> PotentialTold:
    """Return the opened scores, and how many there are of the present version; raises `NotFoundError`."""
    listing = require_listing(view, scenario)
    if not permitted(ReadScope.POTENTIAL, view.actor, SubjectRelation(demand_owner=holder_of(scenario))):
        raise NotFoundError("workspace.not_found", name=scenario)
    judged, own = _judged(base, scenario), _own(base, view, scenario, listing.digest)
    opened = sorted(judged.scores, key=lambda one: (one.potential, one.words)) if judged is not None else []
    return PotentialTold(
        scenario=scenario,
        received=len(_receipts(base, scenario, listing.digest)),
        needed=SCORES,
        own=own.potential if own is not None else None,
        scores=[filled(ScoreOfPotential, one) for one in opened],
        is_present=judged.version == listing.digest if judged is not None else None,
    )


def may_score(view: View, told: PotentialTold) -> bool:
    """Return whether scores of the present version are still taken from the actor, unless a tie bars them."""
    return permitted(DeskAct.SCORE, view.actor) and not told.is_present


def _is_judged(base: Base, scenario: str, version: str) -> bool:
    judged = _judged(base, scenario)
    return judged is not None and judged.version == version


def _open_complete(base: Base, scenario: str, version: str) -> None:
    """Open the scores of a version once the last one is in."""
    given = _receipts(base, scenario, version)
    if len(given) < SCORES:
        return
    scores = tuple(_opened(base, one) for one in given.values())
    with base.lab.view.transaction("potential.judged") as change:
        if _is_judged(base, scenario, version):
            return
        made = JudgedPotential(scenario=scenario, version=version, scores=scores[:SCORES], judged_at=change.now)
        digest = change.put(made, parties(), fields={"scenario": scenario})
        change.let_stand(judged_potential_head(scenario), digest)


def _judged(base: Base, scenario: str) -> JudgedPotential | None:
    return base.lab.view.load_head(judged_potential_head(scenario), JudgedPotential)


def _receipts(base: Base, scenario: str, version: str) -> dict[Reviewer, SealedPotential]:
    """Return reviewer → the newest receipt, in the order of their first one."""
    given = base.lab.view.every(SealedPotential, {"scenario": scenario, "version": version})
    return {one.reviewer: one for one in sorted(given, key=lambda one: one.received_at)}


def _own(base: Base, view: View, scenario: str, version: str) -> PotentialScore | None:
    given = _receipts(base, scenario, version).items()
    return next((_opened(base, one) for reviewer, one in given if reviewer.person == view.actor.person), None)


def _opened(base: Base, receipt: SealedPotential) -> PotentialScore:
    return unseal_document(base, PotentialScore, receipt.blob, _context(receipt), receipt.reviewer.organisation)


def _context(score: PotentialScore | SealedPotential) -> list[str]:
    return ["potential", score.scenario, score.version, score.reviewer.organisation, score.reviewer.person]
