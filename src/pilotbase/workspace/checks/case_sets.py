"""Which cases of a hidden set were scored or given out: the log commits to them together, and names none.

Every entry that changes them states an HMAC of all of them under the set's wrapped secrets, which are random and stand
in no document and no entry: who reads the log learns nothing of the cases, who has the store can recompute it. Of a set
that was sealed before entries did so, cases are only counted, until the next entry about it commits to all of them.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from sqlalchemy import Connection, select

from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.hashes import Digest, canonical_json, digest_of
from pilotbase.workspace import tables
from pilotbase.workspace.checks.proofs import require_signed
from pilotbase.workspace.log.entries import CASES, Fact, newest_with
from pilotbase.workspace.log.notes import LogVerifier

_sets, _attempts = tables.hidden_sets.c, tables.attempts.c


def case_fact(connection: Connection, hidden_set: Digest) -> dict[str, Fact]:
    """Return what the log is to state of the set's cases, scored and given out, as the store has them now."""
    wrapped, scored = connection.execute(select(_sets.wrapped, _sets.scored).where(_sets.digest == hidden_set)).one()
    columns = (_attempts.identity, _attempts.number, _attempts.plan, _attempts.application, _attempts.nonce)
    held = select(*columns, _attempts.reserved).where(_attempts.hidden_set == hidden_set).order_by(_attempts.identity)
    given = [[*row[:-1], hashlib.sha256(row.reserved).hexdigest()] for row in connection.execute(held)]
    told = canonical_json([hidden_set, hashlib.sha256(scored).hexdigest(), given])
    return {f"{CASES}{hidden_set}": digest_of(hmac.new(wrapped, told, hashlib.sha256).hexdigest())}


def require_cases_as_logged(connection: Connection, verifier: LogVerifier, *hidden_sets: Digest) -> None:
    """Return if the newest signed entries about ``hidden_sets`` commit to the cases that the store has for them.

    Raises:
        InvalidProofError: the store has others, or the entry was not signed.
    """
    told = newest_with(connection, *(f"{CASES}{digest}" for digest in hidden_sets))
    for entry in {entry.number: entry for entry in told.values()}.values():
        require_signed(connection, verifier, entry)
    for digest in hidden_sets:
        _require_same(connection, digest, {fact: entry.facts[fact] for fact, entry in told.items()})


def compare_cases(connection: Connection, told: Mapping[str, Fact]) -> int:
    """See that the store has the cases that the log commits to, ``told`` by hidden set.

    Return how many sets there are to whose cases it does not commit yet.

    Raises:
        InvalidProofError: the store has others.
    """
    digests = list(connection.scalars(select(_sets.digest)))
    for digest in digests:
        _require_same(connection, digest, {f"{CASES}{name}": seal for name, seal in told.items()})
    return sum(digest not in told for digest in digests)


def _require_same(connection: Connection, digest: Digest, told: Mapping[str, Fact]) -> None:
    for fact, seal in case_fact(connection, digest).items():
        if told.get(fact, seal) != seal:
            raise InvalidProofError("log.cases_altered", digest=digest)
