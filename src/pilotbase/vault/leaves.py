"""Whether a leave is for what is being read: asked in the transaction that writes the opening to the log."""

from __future__ import annotations

import json
from datetime import datetime

from sqlalchemy import Connection

from pilotbase.documents.board import BoardSubmission
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.terms import AccessGrant, Action, LegalBasis
from pilotbase.vault.hidden import HiddenSet
from pilotbase.workspace import records
from pilotbase.workspace.actors import BASE_ITSELF
from pilotbase.workspace.uses import find_use, require_leave


def require_leave_for(
    connection: Connection, hidden_set: HiddenSet, leave: AccessGrant, for_owner: bool, now: datetime
) -> None:
    """Return if ``leave`` opens rows of ``hidden_set``; ``for_owner``: for its owner's own work.

    Raises:
        RefusedError: it is for something else, was not counted, or its terms do not hold ``now``.
    """
    require_leave(connection, leave, now)
    if not _is_about(connection, hidden_set, leave, for_owner):
        raise RefusedError("terms.foreign_leave")


def require_leave_of(owner: str, leave: AccessGrant, for_owner: bool) -> None:
    """Return if ``leave`` is of ``owner``'s own work, and that is the purpose; raises `RefusedError`."""
    if not (for_owner and leave.ground is LegalBasis.OWNER and leave.target == owner):
        raise RefusedError("terms.foreign_leave")


def hidden_set_of(connection: Connection, digest: Digest) -> HiddenSet | None:
    """Return the hidden set that a document of a board is about, or that it is; None for anything else."""
    stored = records.get(connection, BASE_ITSELF, digest)
    if stored is not None and stored.kind == "board-slice":
        stored = records.get(connection, BASE_ITSELF, json.loads(stored.body)["hidden_set"])
    return stored.load(HiddenSet) if stored is not None and stored.kind == "hidden-set" else None


def named_by(connection: Connection, context: Digest) -> list[str]:
    """Return whose cases an envelope tells of, by what its context names: a hidden set, a board, a plan, a scenario."""
    stored = records.get(connection, BASE_ITSELF, context)
    if stored is not None and stored.kind == "scenario":
        return [stored.load(Scenario).subject]
    if stored is not None and stored.kind == "trial-plan":
        context = stored.load(TrialPlan).scenario.hidden_set
    found = hidden_set_of(connection, context)
    return [] if found is None else found.named


def _is_about(connection: Connection, hidden_set: HiddenSet, leave: AccessGrant, for_owner: bool) -> bool:
    if leave.use is None:
        return for_owner and leave.ground is LegalBasis.OWNER and leave.target == hidden_set.owner
    use = find_use(connection, leave.by, leave.use)
    if use is None or use.action != Action.COMPUTE_ON:
        return False
    if hidden_set.dataset is not None:
        return leave.target == hidden_set.dataset
    return leave.ground is LegalBasis.PAPER and _of_paper(connection, leave.target) == hidden_set.digest()


def _of_paper(connection: Connection, paper: Digest) -> Digest | None:
    """Return the hidden set that a frozen plan, or a submission to a board, is about."""
    stored = records.get(connection, BASE_ITSELF, paper)
    if stored is not None and stored.kind == "trial-plan":
        return stored.load(TrialPlan).scenario.hidden_set
    if stored is not None and stored.kind == "board-submission":
        found = hidden_set_of(connection, stored.load(BoardSubmission).board)
        return None if found is None else found.digest()
    return None
