"""A private profile released: paid for in the ledger of uses first, drawn once, kept under the question's digest.

A crash after the payment buys nothing: the same question finds its use, pays no second time, and draws only if nothing
was kept. A second caller with the same question gets what the first one kept, whatever they have drawn themselves.
"""

from __future__ import annotations

from pilotbase.data.private.profiling import mechanism, plan, profile, request_of, require_ready
from pilotbase.data.quality.columns import RecordTable
from pilotbase.data.quality.release import least_cell
from pilotbase.data.terms.gate import permit
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.errors import InputError, offer
from pilotbase.documents.private import PrivateProfile, PrivateQuestion
from pilotbase.documents.terms import AccessGrant, Action, Channel, Purpose, Request
from pilotbase.workspace.actors import parties
from pilotbase.workspace.failures import ConflictError
from pilotbase.workspace.store import View
from pilotbase.workspace.terms_rows import dataset_row
from pilotbase.workspace.uses import require_leave


def release(view: View, dataset: Dataset, question: PrivateQuestion, table: RecordTable) -> PrivateProfile:
    """Return the one profile that answers ``question`` for ``view``'s actor; its ε is spent before a record is read.

    ``dataset``: the description that the question names; ``table``: its records.

    Raises:
        InputError: the question does not fit the description, OpenDP is not installed, nothing is declared.
        RefusedError: the terms of use do not permit it, or no longer; the message says why.
    """
    _require_fitting(view, dataset, question)
    require_ready(table, question)
    return answer(view, dataset, question, pay(view, dataset, question), table)


def pay(view: View, dataset: Dataset, question: PrivateQuestion) -> AccessGrant:
    """Return the leave to count what ``question`` needs, once its ε is spent; a repeated call spends nothing more.

    Raises as `release`, except for errors that need the table.
    """
    require_answerable(view, dataset, question)
    return permit(view, asked_of_gate(question), request_of(question))


def answer(
    view: View, dataset: Dataset, question: PrivateQuestion, leave: AccessGrant, table: RecordTable
) -> PrivateProfile:
    """Return the one answer to a question already paid for: the kept one, or one drawn and kept now.

    Raises as `release`.
    """
    kept = answered(view, question)
    return kept or _keep(view, profile(table, question), leave, dataset.owner.organisation)


def answered(view: View, question: PrivateQuestion) -> PrivateProfile | None:
    """Return the kept answer to ``question``, None if there is none or the actor may not see it."""
    digest = view.head(_name(request_of(question)))
    return None if digest is None else view.load(digest, PrivateProfile)


def require_answerable(view: View, dataset: Dataset, question: PrivateQuestion) -> None:
    """Return if ``question`` can have an answer, as far as the contract shows; raises `InputError`."""
    _require_fitting(view, dataset, question)
    mechanism()
    plan(dataset.record_set(question.record_set), question)


def asked_of_gate(question: PrivateQuestion) -> Request:
    """Return the request to the gate."""
    return Request(
        target=question.dataset,
        action=Action.COMPUTE_ON,
        by=question.by,
        purpose=Purpose.STATISTICS,
        recipient=question.by,
        channel=Channel.STATISTICS,
        cell_size=question.cell_size,
        epsilon=question.epsilon,
    )


def _require_fitting(view: View, dataset: Dataset, question: PrivateQuestion) -> None:
    with view.reading() as connection:
        published = dataset_row(connection, dataset.subject)
    current = dataset.digest() if published is None else published.digest
    if (question.dataset, question.version) != (dataset.subject, dataset.digest()) or current != question.version:
        raise InputError("private.other_version", dataset=question.dataset)
    names = [one.name for one in dataset.record_sets]
    if question.record_set not in names:
        raise InputError("private.no_record_set", found=question.record_set, allowed=offer(question.record_set, names))
    least = least_cell(dataset)
    if question.cell_size < least:
        raise InputError("private.small_cell", found=question.cell_size, least=least)


def _name(request: str) -> str:
    return f"private-profile:{request}"


def _keep(view: View, drawn: PrivateProfile, leave: AccessGrant, owner: str) -> PrivateProfile:
    """Keep what was drawn, while the leave is valid; if another was kept in the meantime, that is the answer."""
    try:
        with view.transaction("private.released") as change:
            require_leave(change.connection, leave, change.now)
            digest = change.put(drawn, parties(owner), owner=drawn.question.by)
            change.set_head(_name(drawn.request), digest, expected=None)
    except ConflictError:
        kept = answered(view, drawn.question)
        if kept is None:
            raise
        return kept
    return drawn
