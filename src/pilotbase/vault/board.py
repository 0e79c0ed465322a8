"""A board's slice of a hidden set and its Ladder: allows many looks, reveals no single case and no lesser score.

The slice is cut from cases that nobody has scored or holds, in whole clusters, and counts as scored from then on: no
attempt ever certifies on it, in this set or a later one. Of a submission the Ladder releases only whether it beat the
board's best by a step, and that best. All suppliers of a board share one Ladder and one budget: with one for each,
every further name would buy another score.

    open_submission   counts the submission; the same application version finds its existing one
    release           one transaction: board and entry move together or not at all
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pydantic

from pilotbase.documents.base import Document
from pilotbase.documents.board import Board, BoardEntry, BoardSubmission
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import Digest, hex_of
from pilotbase.documents.plan import ApplicationReference
from pilotbase.evidence import draw_order
from pilotbase.evidence.ladder import independent_cases, slice_size
from pilotbase.vault.attempts import fresh_cases, withdraw_cases
from pilotbase.vault.envelopes import open_envelope, seal_envelope
from pilotbase.vault.opening import Cases, ReaderGrant
from pilotbase.vault.place import Vault
from pilotbase.vault.sealing import HiddenSet, secrets_of
from pilotbase.workspace import records
from pilotbase.workspace.actors import parties
from pilotbase.workspace.failures import ConflictError
from pilotbase.workspace.store import View
from pilotbase.workspace.transaction import Transaction

_TRIES = 100
"""Others may submit at the same moment: one of them is first, and the others retry."""


class BoardSlice(Document):
    """The record of a slice; its case numbers are sealed."""

    document: Literal["board-slice/1"] = "board-slice/1"
    hidden_set: Digest
    owner: str
    measure: str
    share: float
    cases: int = pydantic.Field(ge=1)
    members: Digest
    """Envelope of the case numbers."""
    independent: int | None = None
    """As how many independent cases of the measure they count; None: cut by an earlier version."""
    unit: str | None = None
    """The column whose units it holds whole; None: cut by cases, or by an earlier version."""

    @property
    def counted(self) -> int:
        return self.cases if self.independent is None else self.independent


@dataclass(frozen=True)
class SliceTerms:
    """The terms of a slice: with another measure or share a new one is cut, from cases that are fresh then."""

    measure: str
    share: float
    unit: str | None = None
    """The column whose units the clusters hold whole; None: cases."""


def cut_slice(
    vault: Vault, hidden_set: HiddenSet, terms: SliceTerms, clusters: Cases, weights: npt.NDArray[np.float64]
) -> BoardSlice:
    """Return the board's slice of ``hidden_set``, cutting it the first time; logged as ``board.cut``.

    ``clusters``: a code per case, shape (rows,); cases of one code stay together. The set's secret determines which
    clusters are taken. A cluster with a scored or held case stays out. ``weights``: in the measure, (rows,).

    Raises:
        RefusedError: there are fewer fresh cases than the share needs, none would be left for trials, or the clusters
            are so large that the slice would be more than twice the share.
    """
    key = secrets_of(vault, hidden_set).derive("board", terms.measure, str(terms.share))
    fields = {"hidden_set": hidden_set.digest(), "measure": terms.measure, "share": str(terms.share)}
    with vault.view.transaction("board.cut") as change:
        known = records.find(change.connection, change.actor, "board-slice", fields, 1)
        if known:
            return known[0].load(BoardSlice)
        fresh = fresh_cases(vault, change.connection, hidden_set)
        wanted = slice_size(terms.share, hidden_set.rows)
        members = _drawn(clusters, fresh, wanted, key)
        if len(members) < wanted or len(members) >= len(fresh):
            raise RefusedError("vault.board_too_small", wanted=wanted, left=len(fresh))
        if len(members) > 2 * wanted:
            raise RefusedError("vault.board_too_coarse", wanted=wanted, found=len(members))
        record = BoardSlice(
            hidden_set=hidden_set.digest(),
            owner=hidden_set.owner,
            measure=terms.measure,
            share=terms.share,
            cases=len(members),
            independent=int(independent_cases(clusters[members], weights[members])),
            unit=terms.unit,
            members=seal_envelope(vault, hidden_set.owner, hidden_set.digest(), members.astype("<i8").tobytes()),
        )
        change.put(record, parties(), owner=hidden_set.owner, fields=fields)
        withdraw_cases(vault, change, hidden_set, members)
        change.facts["cases"] = len(members)
    return record


def slice_cases(vault: Vault, record: BoardSlice, grant: ReaderGrant) -> Cases:
    """Return the slice's case numbers, ascending; for the scorer process only. Raises as `open_envelope`."""
    plain = open_envelope(vault, record.owner, record.hidden_set, record.members, grant)
    return np.frombuffer(plain, dtype="<i8").astype(np.int64)


def current_board(vault: Vault, record: BoardSlice) -> Board | None:
    """Return the current board, or None before the first submission; for those who may see the slice's record."""
    return vault.view.load_head(_board_head(record.digest()), Board)


def newest_board(view: View, owner: str, scenario: str) -> Board | None:
    """Return the board of an owner's scenario as ``view``'s actor may see it; None if they are not on it."""
    found = view.find("board", {"scenario": scenario, "owner": owner}, limit=1)
    return found[0].load(Board) if found else None


def submission_of(vault: Vault, record: BoardSlice, application: ApplicationReference) -> BoardSubmission | None:
    """Return the submission of an application version, or None."""
    return vault.view.load_head(_submission_head(record.digest(), application), BoardSubmission)


def open_submission(vault: Vault, empty: Board, sealed: Digest, application: ApplicationReference) -> BoardSubmission:
    """Return the submission of an application version to the board: the existing one, or a new one, counted.

    ``empty``: the board before any submission, with today's terms.

    Raises:
        RefusedError: the supplier has used all its submissions, or all suppliers together all of the board's.
    """
    record = vault.view.load(empty.slice, BoardSlice)
    vault.require_access(record.owner)
    supplier = application.supplier.organisation
    for _ in range(_TRIES):
        known = submission_of(vault, record, application)
        if known is not None:
            return known
        before = current_board(vault, record)
        used = dict(before.used) if before else {}
        number = used.get(supplier, 0) + 1
        if number > empty.allowed:
            raise RefusedError("vault.board_used_up", supplier=supplier, allowed=empty.allowed)
        after = empty.model_copy(update={"used": used, "ranked": before.ranked if before else ()})
        if after.ended:
            raise RefusedError("vault.board_ended", entries=empty.entries or 0, improvements=empty.improvements or 0)
        after = after.model_copy(update={"used": {**used, supplier: number}})
        try:
            with vault.view.transaction("board.submitted") as change:
                submission = BoardSubmission(
                    board=empty.slice, sealed=sealed, application=application, number=number, submitted_at=change.now
                )
                digest = change.put(submission, parties(supplier), owner=record.owner)
                change.set_head(_submission_head(empty.slice, application), digest, expected=None)
                shown = _put_board(change, after, record)
                change.set_head(_board_head(empty.slice), shown, expected=before.digest() if before else None)
        except ConflictError:
            continue
        return submission
    raise ConflictError("workspace.head_moved", name=_board_head(empty.slice))


def entry_of(vault: Vault, submission: BoardSubmission) -> BoardEntry | None:
    """Return what was released of ``submission``, or None."""
    return vault.view.load_head(_entry_head(submission), BoardEntry)


def release(vault: Vault, submission: BoardSubmission, entry: Callable[[Board], BoardEntry]) -> BoardEntry:
    """Return what the board releases of ``submission``; asking again returns the same, whatever ``entry`` makes.

    ``entry`` makes the published entry, given the board as it stands.
    """
    record = vault.view.load(submission.board, BoardSlice)
    vault.require_access(record.owner)
    for _ in range(_TRIES):
        known = entry_of(vault, submission)
        if known is not None:
            return known
        board = current_board(vault, record)
        assert board is not None
        released = entry(board)
        with contextlib.suppress(ConflictError), vault.view.transaction("board.released") as change:
            seen, fields = parties(submission.application.supplier.organisation), {"slice": submission.board}
            digest = change.put(released, seen, owner=record.owner, fields=fields)
            change.set_head(_entry_head(submission), digest, expected=None)
            if released.improved:
                shown = _put_board(change, board.model_copy(update={"ranked": (released, *board.ranked)}), record)
                change.set_head(_board_head(submission.board), shown, expected=board.digest())
    raise ConflictError("workspace.head_moved", name=_board_head(submission.board))


def _put_board(change: Transaction, board: Board, record: BoardSlice) -> Digest:
    return change.put(
        board, parties(*board.used), owner=record.owner, fields={"scenario": board.scenario, "owner": record.owner}
    )


def _drawn(clusters: Cases, fresh: Cases, wanted: int, key: bytes) -> Cases:
    """Return at least ``wanted`` cases (or all) of whole fresh clusters, taken in an order determined by ``key``."""
    codes = np.unique(clusters, return_inverse=True)[1]
    is_fresh = np.zeros(len(codes), dtype=np.bool_)
    is_fresh[fresh] = True
    whole = np.flatnonzero(np.bincount(codes, weights=~is_fresh) == 0)
    order = whole[draw_order(len(whole), key)]
    sizes = np.bincount(codes)[order]
    taken = order[: int(np.searchsorted(np.cumsum(sizes), wanted)) + 1]
    return np.flatnonzero(np.isin(codes, taken)).astype(np.int64)


def _board_head(board: Digest) -> str:
    return f"board:{board}"


def _entry_head(submission: BoardSubmission) -> str:
    return f"board-entry:{submission.digest()}"


def _submission_head(board: Digest, application: ApplicationReference) -> str:
    return "board-submission:" + ":".join(hex_of(part)[:40] for part in (board, application.digest))
