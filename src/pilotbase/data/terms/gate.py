"""The gate: every read of a closed value passes here, whichever way it takes.

Requests are for a dataset, or for a paper (a frozen plan, a submission to a board) if a scenario's hidden cases belong
to no dataset. What the terms permit is counted and logged in the transaction that found it permitted, and only then is
there an `AccessGrant`; every reader checks it against the terms once more (`workspace.uses.require_leave`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce

from sqlalchemy import Connection

from pilotbase.data.terms.evaluating import Terms, decide, named, terms_of_agreement, terms_of_paper
from pilotbase.documents.agreement import Agreement
from pilotbase.documents.board import BoardSubmission, TenderPlan
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import Digest, is_digest
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.terms import AccessGrant, Channel, LegalBasis, Request, TermsDecision, Use, Used
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Opening
from pilotbase.workspace import records
from pilotbase.workspace.actors import BASE_ITSELF, Actor
from pilotbase.workspace.failures import ConflictError
from pilotbase.workspace.records import D
from pilotbase.workspace.store import View
from pilotbase.workspace.terms_rows import DatasetRow, agreements_between, dataset_row
from pilotbase.workspace.transaction import Transaction
from pilotbase.workspace.uses import RefusedAct, epsilon_spent, find_use, keep_refusal, keep_use, used_under

_UNCOUNTED = Used(*[1 << 53] * 3)
"""More than any limit allows: uses by everyone are not counted."""


@dataclass(frozen=True)
class UsePath:
    """A way to permit something: on which ground, by which terms; None: the owner's own."""

    ground: LegalBasis
    by: str
    terms: Terms | None
    version: str = ""


@dataclass(frozen=True)
class _Found:
    """The first way that permits, with its decision, or every reason against all of them."""

    way: UsePath | None
    decision: TermsDecision
    before: Use | None = None


def permit(view: View, request: Request, key: Digest) -> AccessGrant:
    """Return the leave for ``request``, counted as the use that ``key`` names; a repeated call is not counted again.

    Raises:
        RefusedError: with every reason; nothing is counted. Also if the actor may not send requests for ``request.by``.
        ConflictError: ``key`` names a use of another kind.
    """
    with view.transaction("terms.permitted") as change:
        _require_asking(change.actor, request)
        found = _find(change.connection, request, key, change.now)
        if found.way is not None:
            if found.before is None:
                keep_use(change, _use(change, found.way, request, key))
            return AccessGrant(found.way.ground, found.way.by, request.target, key, found.decision.duties)
        _count_refusal(change, request, found.decision.reasons)
    raise _refusal(request, found.decision.reasons)


def judge(view: View, request: Request) -> TermsDecision:
    """Return what the gate would decide on ``request`` now; nothing is counted.

    Raises:
        RefusedError: the actor may not send requests for ``request.by``.
    """
    _require_asking(view.actor, request)
    with view.reading() as connection:
        return _find(connection, request, None, view.store.clock()).decision


def permits_everyone(view: View, request: Request) -> bool:
    """Return whether an open dataset's offer permits ``request`` to anybody at any time; nothing is counted.

    An offer that limits uses or purposes, or names who receives the data, does not: nobody could be held to it.
    """
    with view.reading() as connection:
        dataset = dataset_row(connection, request.target)
        if dataset is None or not dataset.is_published or dataset.opening != Opening.OPEN:
            return False
        described = _load(connection, dataset.digest, Dataset)
    if described is None or described.usage is None:
        return False
    anybody = request.model_copy(update={"recipient": None, "purpose": None})
    return decide(Terms(Opening.OPEN, described.usage), anybody, _UNCOUNTED, view.store.clock()).permitted


def require_permitted(view: View, request: Request) -> None:
    """Return if the gate would allow ``request`` now; raises `RefusedError` with every reason, and counts the refusal.

    Within a transaction it is not counted: a refusal there is rolled back.
    """
    decision = judge(view, request)
    if decision.permitted:
        return
    if view.connection is None:
        with view.transaction("terms.refused") as change:
            _count_refusal(change, request, decision.reasons)
    raise _refusal(request, decision.reasons)


def _find(connection: Connection, request: Request, key: Digest | None, now: datetime) -> _Found:
    reasons: list[Text] = []
    for way in _ways(connection, request, now):
        if isinstance(way, Text):
            reasons.append(way)
            continue
        before = find_use(connection, way.by, key) if key is not None else None
        if before is not None:
            _require_same(before, request)
        used = (
            Used(before.place - 1, before.epsilon_so_far - before.epsilon, before.rows_so_far - before.rows)
            if before is not None
            else _used_so_far(connection, way, request)
        )
        decision = TermsDecision(()) if way.terms is None else decide(way.terms, request, used, now)
        if decision.permitted:
            return _Found(way, decision, before)
        reasons += decision.reasons
    return _Found(None, TermsDecision(tuple(reasons)))


def _ways(connection: Connection, request: Request, now: datetime) -> Iterator[UsePath | Text]:
    """Yield the ways in which ``request`` may be permitted, and why there are no others."""
    if is_digest(request.target):
        yield _paper(connection, request)
        return
    dataset = dataset_row(connection, request.target)
    if dataset is None or not (dataset.is_published or dataset.owner == request.by):
        yield text("terms.no_dataset", dataset=request.target)
        return
    if dataset.owner == request.by:
        yield UsePath(LegalBasis.OWNER, dataset.subject, None, dataset.digest)
        return
    if dataset.opening == Opening.OPEN:
        described = _load(connection, dataset.digest, Dataset)
        if described is not None and described.usage is not None:
            yield UsePath(LegalBasis.OFFER, dataset.subject, Terms(Opening.OPEN, described.usage), dataset.digest)
    yield from _agreements(connection, dataset, request, now)


def _agreements(
    connection: Connection, dataset: DatasetRow, request: Request, now: datetime
) -> Iterator[UsePath | Text]:
    standing = [row for row in agreements_between(connection, dataset.subject, request.by) if row.holds_at(now)]
    for row in standing:
        agreement = _load(connection, row.digest, Agreement)
        if agreement is None:
            continue
        if agreement.covers(dataset.version):
            terms = terms_of_agreement(agreement, Opening(dataset.opening))
            yield UsePath(LegalBasis.AGREEMENT, row.subject, terms, dataset.digest)
        else:
            yield text("terms.other_version", agreed=agreement.version, found=dataset.version)
    if not standing:
        yield text("terms.no_agreement", organisation=request.by, dataset=dataset.subject)


def _paper(connection: Connection, request: Request) -> UsePath | Text:
    stored, paper = records.get(connection, BASE_ITSELF, request.target), request.target
    if stored is not None and stored.kind == "trial-plan":
        plan = stored.load(TrialPlan)
        supplier = plan.application.supplier.organisation
        channel = Channel.REPORT if plan.release is None else Channel.SITE_PACK
    elif stored is not None and stored.kind == "board-submission":
        supplier, channel = stored.load(BoardSubmission).application.supplier.organisation, Channel.BOARD
    elif stored is not None and stored.kind == "tender-plan":
        entrants = {one.supplier.organisation for one in stored.load(TenderPlan).entrants}
        supplier, channel = request.by if request.by in entrants else "", Channel.REPORT
    else:
        return text("terms.no_dataset", dataset=paper)
    if request.by != supplier:
        return text("terms.no_agreement", organisation=request.by, dataset=paper)
    return UsePath(LegalBasis.PAPER, paper, terms_of_paper(paper, stored.owner, supplier, channel))


def _load(connection: Connection, digest: Digest, model: type[D]) -> D | None:
    stored = records.get(connection, BASE_ITSELF, digest)
    return None if stored is None else stored.load(model)


def _used_so_far(connection: Connection, way: UsePath, request: Request) -> Used:
    used = used_under(connection, way.by)
    return replace(used, epsilon=epsilon_spent(connection, request.target, request.by))


def _use(change: Transaction, way: UsePath, request: Request, key: Digest) -> Use:
    before, epsilon, rows = used_under(change.connection, way.by), request.epsilon or 0, request.rows or 0
    return Use(
        ground=way.by,
        place=before.count + 1,
        request=key,
        target=request.target,
        version=way.version,
        action=request.action,
        organisation=request.by,
        person=change.actor.person or "",
        purpose=request.purpose or "",
        recipient=request.recipient or "",
        channel=request.channel or "",
        cell_size=request.cell_size,
        epsilon=epsilon,
        rows=rows,
        epsilon_so_far=before.epsilon + epsilon,
        rows_so_far=before.rows + rows,
        used_at=change.now,
    )


def _require_same(before: Use, request: Request) -> None:
    kept = (before.action, before.organisation, before.purpose, before.recipient, before.channel)
    spent = (before.cell_size, before.epsilon, before.rows)
    asked = (request.action, request.by, request.purpose or "", request.recipient or "", request.channel or "")
    if (kept, spent) != (asked, (request.cell_size, request.epsilon or 0, request.rows or 0)):
        raise ConflictError("terms.other_use")


def _require_asking(actor: Actor, request: Request) -> None:
    if not actor.may_write_for(request.by):
        raise RefusedError("workspace.not_yours", organisation=actor.organisation, owner=request.by)


def _count_refusal(change: Transaction, request: Request, reasons: tuple[Text, ...]) -> None:
    """Count a refusal for an existing dataset; made-up names, of which there is no end, are not counted."""
    dataset = dataset_row(change.connection, request.target)
    if dataset is not None and dataset.owner != request.by:
        refused = (request.target, request.by, request.action, request.channel or "", reasons[0].code)
        keep_refusal(change, RefusedAct(*refused))


def _refusal(request: Request, reasons: tuple[Text, ...]) -> RefusedError:
    said = reduce(lambda one, more: text("terms.two_reasons", first=one, more=more), reasons)
    return RefusedError(
        "terms.refused", organisation=request.by, action=named(request.action), dataset=request.target, reasons=said
    )
