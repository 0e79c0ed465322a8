"""Attempts and unscored cases: the budget that keeps hidden data worth something.

Counted per hidden-set version, across all suppliers, or for each of those among whom its owner splits α. Attempt number
j may err with probability α/(j(j+1)), so that all attempts together stay within α (`evidence.attempt_levels`). Every
attempt gets only cases that no box has seen before.

    open ──▶ delivered ──▶ committed ──▶ closed
      │          └────────────┴────────▶ cancelled    counts: its share of α is spent
      └──▶ returned                                   costs nothing: number and cases are free again

* α is spent by `mark_delivered`, before the first hidden batch leaves for the box. A crash buys nothing: the same plan
  and application find the same attempt, its cases and its state again.
* `mark_scored` comes before anything of a decision leaves the scorer's process, is permanent, and survives a crash.
* Cases that a box has seen are spent, scored or not (an answer tells of its case): only those of a returned attempt,
  which delivered none, are fresh again.

Every step is one transaction and one line of the log. The log never contains case numbers, but each line commits to the
cases scored and given out, and no case is given or scored before the store agrees with it (`require_cases_as_logged`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, insert, select, update

from pilotbase.documents.api.shapes import filled
from pilotbase.documents.errors import InvalidProofError, RefusedError
from pilotbase.documents.hashes import Digest, digest_bytes
from pilotbase.evidence import attempt_levels, draw_order, exact
from pilotbase.vault.ciphers import SetSecrets
from pilotbase.vault.opening import Cases
from pilotbase.vault.overlaps import Bits, neighbours_of
from pilotbase.vault.place import Vault
from pilotbase.vault.sealing import HiddenSet, secrets_of
from pilotbase.vault.units import DrawnUnits, HiddenUnits, UnitsLeft, draw_units, follows, unit_of_each, units_left
from pilotbase.workspace import tables
from pilotbase.workspace.checks.proofs import case_fact, require_cases_as_logged
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.log.entries import Fact
from pilotbase.workspace.transaction import Transaction

_attempts, _sets = tables.attempts.c, tables.hidden_sets.c


class AttemptState(StrEnum):
    """The state of an attempt; see the picture above."""

    OPEN = "open"
    DELIVERED = "delivered"
    COMMITTED = "committed"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    RETURNED = "returned"


_LIVE = (AttemptState.OPEN, AttemptState.DELIVERED, AttemptState.COMMITTED)


@dataclass(frozen=True)
class AttemptRequest:
    """One application against one frozen plan, over ``cases`` fresh cases; ``nonce`` (hex) is the supplier's."""

    plan: Digest
    application: Digest
    nonce: str
    cases: int
    supplier: str | None = None
    """Whose attempt it counts as where α is split; None: of nobody, as it certifies nothing."""
    units: DrawnUnits | None = None
    """The units to draw in place of cases, of which they may then have up to ``cases``."""


@dataclass(frozen=True)
class VaultAttempt:
    """An attempt in its current state. ``cases`` are its reserved case numbers, ascending."""

    identity: int
    hidden_set: Digest
    number: int
    alpha: float
    plan: Digest
    application: Digest
    nonce: str
    state: AttemptState
    order_commitment: Digest
    answers: Digest | None
    cases: Cases = field(compare=False, repr=False)


@dataclass(frozen=True)
class Remaining:
    """What is left of a hidden set: cases that no attempt has had, attempts, and the next one's α."""

    fresh: int
    reserved: int
    """Cases that an attempt holds or had, and has not scored."""
    scored: int
    attempts: int
    next_number: int
    next_alpha: float
    spent_alpha: float
    """The α spent by all attempts so far, open ones included."""
    units: UnitsLeft | None = None
    """What is left in whole units, if attempts draw these."""


@dataclass(frozen=True)
class _Spent:
    """Cases and attempts already taken, by attempts on the set and on those that share cases with it."""

    scored: Bits
    held: Bits
    numbers: frozenset[int]


def order_commitment(vault: Vault, hidden_set: HiddenSet, application: Digest, nonce: str) -> Digest:
    """Return SHA-256 of the order secret for ``application`` and ``nonce``, to be published in the plan.

    The secret itself comes out only through `reveal_order`.
    """
    return digest_bytes(_order_secret(secrets_of(vault, hidden_set), application, nonce))


def open_attempt(vault: Vault, hidden_set: HiddenSet, request: AttemptRequest) -> VaultAttempt:
    """Return the attempt of this plan and application: the existing one, ended or not, or a new one.

    Only a returned attempt is followed by a new one under the same plan: the order of any other is known.

    Raises:
        RefusedError: no attempt is left, or fewer fresh cases or units than requested (the message says how many are
            left), or units are torn; or the nonce was used for another plan of this application; or α is split among
            other suppliers.
        InvalidProofError: the log commits to other scored or given cases than the store has.
    """
    bundle = secrets_of(vault, hidden_set)
    with vault.view.transaction("vault.attempt_opened") as change:
        _require_as_logged(vault, change.connection, hidden_set.digest())
        rows = _rows_of(change.connection, hidden_set.digest())
        ours = [row for row in rows if row.state != AttemptState.RETURNED and row.application == request.application]
        for row in ours:
            if row.plan == request.plan:
                return _attempt(row, hidden_set, bundle)
        if any(row.nonce == request.nonce for row in ours):
            raise RefusedError("vault.nonce_used", nonce=request.nonce)
        spent = _spent(vault, change.connection, hidden_set)
        number = _free_number(hidden_set, spent, _place_of(hidden_set, request.supplier))
        if _used(rows) >= hidden_set.attempts:
            raise RefusedError("vault.no_attempts", allowed=hidden_set.attempts, left=0)
        reserved = _draw(vault, hidden_set, ~(spent.scored | spent.held), request, number)
        values = {
            "hidden_set": hidden_set.digest(),
            "number": number,
            "plan": request.plan,
            "application": request.application,
            "nonce": request.nonce,
            "state": AttemptState.OPEN.value,
            "reserved": _packed(reserved),
            "opened_at": change.now,
        }
        key = change.connection.execute(insert(tables.attempts).values(values)).inserted_primary_key
        assert key is not None
        attempt = _attempt(_row(change.connection, int(key[0])), hidden_set, bundle)
        _log(
            change,
            "vault.attempt_opened",
            attempt,
            cases=len(attempt.cases),
            **({} if request.units is None else {"units": request.units.count}),
            **case_fact(change.connection, hidden_set.digest()),
        )
    return attempt


def mark_delivered(vault: Vault, attempt: VaultAttempt) -> None:
    """Spend the attempt's α; call it before the first hidden batch leaves. Calling again changes nothing."""
    _advance(vault, attempt, (AttemptState.OPEN,), AttemptState.DELIVERED)


def commit_answers(vault: Vault, attempt: VaultAttempt, answers: Digest) -> None:
    """Fix the digest of all answers, in the log too; only then can the order be revealed. Again changes nothing.

    Raises:
        RefusedError: other answers were committed before, or no batch was delivered.
    """
    _advance(vault, attempt, (AttemptState.DELIVERED,), AttemptState.COMMITTED, answers=answers)


def reveal_order(vault: Vault, hidden_set: HiddenSet, attempt: VaultAttempt) -> bytes:
    """Return the order secret: 32 bytes that seed `evidence.draw_order` together with the nonce.

    Raises:
        RefusedError: answers are not committed yet.
    """
    with vault.view.transaction("vault.order_revealed") as change:
        row = _row(change.connection, attempt.identity)
        if row.state not in (AttemptState.COMMITTED, AttemptState.CLOSED):
            raise RefusedError("vault.order_held", number=attempt.number)
        _log(change, "vault.order_revealed", attempt)
    return _order_secret(secrets_of(vault, hidden_set), attempt.application, attempt.nonce)


def mark_scored(vault: Vault, attempt: VaultAttempt, cases: Cases) -> None:
    """Count ``cases`` as scored for ever; call it before a result is stored or told. Calling again changes nothing.

    Raises:
        RefusedError: answers are not committed yet, or a case is not among those reserved for this attempt.
        InvalidProofError: as `open_attempt`.
    """
    with vault.view.transaction("vault.scored") as change:
        _require_as_logged(vault, change.connection, attempt.hidden_set)
        row = _row(change.connection, attempt.identity)
        _require_state(row, attempt, (AttemptState.COMMITTED,))
        reserved = _unpacked(row.reserved, len(_scored(change.connection, attempt.hidden_set)))
        if len(cases) and (cases.min() < 0 or cases.max() >= len(reserved) or not reserved[cases].all()):
            raise RefusedError("vault.not_reserved", number=attempt.number)
        _log(change, "vault.scored", attempt, **_scored_now(change, attempt.hidden_set, cases))


def scored_cases(vault: Vault, hidden_set: HiddenSet) -> Cases:
    """Return the case numbers that have been scored, ascending."""
    vault.require_access(hidden_set.owner)
    with vault.view.store.database.read() as connection:
        return np.flatnonzero(_scored(connection, hidden_set.digest())).astype(np.int64)


def fresh_cases(vault: Vault, connection: Connection, hidden_set: HiddenSet) -> Cases:
    """Return the cases that nobody has scored, holds or had, ascending; ``connection`` may be a transaction's.

    Raises:
        InvalidProofError: as `open_attempt`.
    """
    _require_as_logged(vault, connection, hidden_set.digest())
    spent = _spent(vault, connection, hidden_set)
    return np.flatnonzero(~(spent.scored | spent.held)).astype(np.int64)


def withdraw_cases(vault: Vault, change: Transaction, hidden_set: HiddenSet, cases: Cases) -> None:
    """Count ``cases`` as scored for ever, within ``change``: no attempt, on this set or a later one, gets them.

    Raises:
        InvalidProofError: as `open_attempt`.
    """
    digest = hidden_set.digest()
    _require_as_logged(vault, change.connection, digest)
    change.record("vault.scored_before", [digest], _scored_now(change, digest, cases))


def mark_scored_before(vault: Vault, hidden_set: HiddenSet, cases: Cases) -> None:
    """Count ``cases`` as scored for ever: an earlier set scored them, or a public sample now shows them."""
    vault.require_access(hidden_set.owner)
    with vault.view.transaction("vault.scored_before") as change:
        withdraw_cases(vault, change, hidden_set, cases)


def close_attempt(vault: Vault, attempt: VaultAttempt) -> None:
    """End an attempt that has its verdict; its cases are spent."""
    _advance(vault, attempt, (AttemptState.COMMITTED,), AttemptState.CLOSED)


def cancel_attempt(vault: Vault, attempt: VaultAttempt) -> None:
    """End an attempt without a verdict: before delivery it costs nothing, after it the attempt counts."""
    with vault.view.transaction("vault.attempt_cancelled") as change:
        row = _row(change.connection, attempt.identity)
        if row.state not in _LIVE:
            return
        delivered = row.state != AttemptState.OPEN
        state = AttemptState.CANCELLED if delivered else AttemptState.RETURNED
        _update(change, attempt, {"state": state.value, "closed_at": change.now})
        _log(change, "vault.attempt_cancelled", attempt, counts=delivered)


def attempts_of(vault: Vault, hidden_set: HiddenSet) -> list[VaultAttempt]:
    """Return all attempts on ``hidden_set`` in the order of opening, ended ones too."""
    bundle = secrets_of(vault, hidden_set)
    with vault.view.store.database.read() as connection:
        return [_attempt(row, hidden_set, bundle) for row in _rows_of(connection, hidden_set.digest())]


def remaining(
    vault: Vault, hidden_set: HiddenSet, supplier: str | None = None, units: HiddenUnits | None = None
) -> Remaining:
    """Return what is left of ``hidden_set``; raises `NotFoundError`, `RefusedError`: α is split among others.

    The next attempt is that of ``supplier``, if α is split; without one, that of the supplier with the fewest.
    ``units``: what attempts draw.
    """
    vault.require_access(hidden_set.owner)
    with vault.view.store.database.read() as connection:
        rows = _rows_of(connection, hidden_set.digest())
        spent = _spent(vault, connection, hidden_set)
    places = range(max(1, len(hidden_set.suppliers or ()))) if supplier is None else [_place_of(hidden_set, supplier)]
    number = min(_free_number(hidden_set, spent, place) for place in places)
    free = ~(spent.scored | spent.held)
    scored, fresh = int(spent.scored.sum()), int(free.sum())
    codes = None if units is None else unit_of_each(vault, hidden_set, units)
    return Remaining(
        fresh=fresh,
        reserved=hidden_set.rows - scored - fresh,
        scored=scored,
        attempts=hidden_set.attempts - _used(rows),
        next_number=number,
        next_alpha=alpha_of(hidden_set, number),
        spent_alpha=sum(alpha_of(hidden_set, held) for held in spent.numbers),
        units=None if units is None or codes is None else units_left(codes, units, free, spent.scored),
    )


def require_drawn(vault: Vault, hidden_set: HiddenSet, plan: Digest, drawn: DrawnUnits) -> None:
    """Return if every attempt of ``plan`` has the units that the set's secret draws for it, and tears none.

    Raises:
        InvalidProofError: one has others.
    """
    bundle, codes = secrets_of(vault, hidden_set), unit_of_each(vault, hidden_set, drawn.of)
    with vault.view.store.database.read() as connection:
        rows = _rows_of(connection, hidden_set.digest())
        ever = _spent(vault, connection, hidden_set, ever=True)
    bits = [_unpacked(row.reserved, hidden_set.rows) for row in rows]
    before = (ever.scored | ever.held) & ~np.any([*bits, np.zeros(hidden_set.rows, np.bool_)], axis=0)
    for row, own in zip(rows, bits, strict=True):
        held = len(np.unique(codes[own])) == drawn.count
        if row.plan == plan and not (
            held and follows(codes, drawn.of, own, before, _draw_seed(bundle, row.number, row))
        ):
            raise InvalidProofError("vault.other_units", number=row.number, unit=drawn.of.column)
        before = before | own


def alpha_of(hidden_set: HiddenSet, number: int) -> float:
    """Return α/(j(j+1)); over all j the sum is α. Where it is split among suppliers, nothing for an attempt of none."""
    suppliers = len(hidden_set.suppliers or ())
    if suppliers and number % (suppliers + 1) == 0:
        return 0.0
    return float(attempt_levels(exact(hidden_set.alpha), number, suppliers).accept)


def _spent(vault: Vault, connection: Connection, hidden_set: HiddenSet, ever: bool = False) -> _Spent:
    digest = hidden_set.digest()
    scored, held, numbers = _taken(connection, digest, ever)
    numbers |= set(range(1, hidden_set.attempts_before + 1))
    for other in neighbours_of(vault, connection, digest):
        their_scored, their_held, their_numbers = _taken(connection, other.digest, ever)
        scored |= other.shared.carried(their_scored, hidden_set.rows)
        held |= other.shared.carried(their_held, hidden_set.rows)
        numbers |= their_numbers
    return _Spent(scored, held & ~scored, frozenset(numbers))


def _taken(connection: Connection, digest: Digest, ever: bool) -> tuple[Bits, Bits, set[int]]:
    """Return which cases of one set are scored, which its attempts hold or had, and the numbers of its attempts.

    ``ever``: returned attempts, whose cases are fresh again, count as well.
    """
    scored = _scored(connection, digest)
    held, numbers = np.zeros_like(scored), set()
    for row in _rows_of(connection, digest):
        if ever or row.state != AttemptState.RETURNED:
            held |= _unpacked(row.reserved, len(scored))
            numbers.add(int(row.number))
    return scored, held, numbers


def _place_of(hidden_set: HiddenSet, supplier: str | None) -> int:
    """Return the place of a supplier's attempts in each turn of numbers; raises `RefusedError`."""
    admitted = hidden_set.suppliers or ()
    if not admitted or supplier is None:
        return len(admitted)
    if supplier not in admitted:
        raise RefusedError("vault.not_admitted", supplier=supplier, admitted=", ".join(admitted))
    return admitted.index(supplier)


def _free_number(hidden_set: HiddenSet, spent: _Spent, place: int) -> int:
    size = len(hidden_set.suppliers or ()) + 1
    first = hidden_set.attempts_before + 1
    return next(number for number in count(first + (place - first + 1) % size, size) if number not in spent.numbers)


def _used(rows: list[Row[Any]]) -> int:
    return sum(row.state != AttemptState.RETURNED for row in rows)


def _draw(vault: Vault, hidden_set: HiddenSet, fresh: Bits, request: AttemptRequest, number: int) -> Bits:
    seed = _draw_seed(secrets_of(vault, hidden_set), number, request)
    if request.units is not None:
        units = request.units.of
        return draw_units(unit_of_each(vault, hidden_set, units), units, fresh, request.units.count, seed)
    pool = np.flatnonzero(fresh)
    if request.cases > len(pool) or request.cases < 1:
        raise RefusedError("vault.no_fresh_cases", wanted=request.cases, left=len(pool))
    reserved = np.zeros(len(fresh), dtype=np.bool_)
    reserved[pool[draw_order(len(pool), seed)[: request.cases]]] = True
    return reserved


def _draw_seed(bundle: SetSecrets, number: int, request: AttemptRequest | Row[Any]) -> bytes:
    return bundle.derive("draw", str(number), request.plan, request.application, request.nonce)


def _advance(
    vault: Vault,
    attempt: VaultAttempt,
    before: tuple[AttemptState, ...],
    after: AttemptState,
    answers: Digest | None = None,
) -> None:
    action = f"vault.attempt_{after.value}"
    with vault.view.transaction(action) as change:
        row = _row(change.connection, attempt.identity)
        if row.state == after if answers is None else answers == row.answers:
            return
        if answers is not None and row.answers is not None:
            raise RefusedError("vault.answers_fixed", number=attempt.number)
        _require_state(row, attempt, before)
        stamps = {AttemptState.DELIVERED: {"delivered_at": change.now}, AttemptState.CLOSED: {"closed_at": change.now}}
        fixed = {} if answers is None else {"answers": answers}
        _update(change, attempt, {"state": after.value, **stamps.get(after, {}), **fixed})
        _log(change, action, attempt, **fixed)


def _require_state(row: Row[Any], attempt: VaultAttempt, allowed: tuple[AttemptState, ...]) -> None:
    if row.state not in allowed:
        wanted = ", ".join(allowed)
        raise RefusedError("vault.wrong_state", number=attempt.number, state=row.state, wanted=wanted)


def _update(change: Transaction, attempt: VaultAttempt, values: dict[str, object]) -> None:
    change.connection.execute(update(tables.attempts).where(_attempts.identity == attempt.identity).values(values))


def _log(change: Transaction, action: str, attempt: VaultAttempt, **facts: Fact) -> None:
    subjects = [attempt.hidden_set, attempt.plan, attempt.application]
    change.record(action, subjects, {"attempt": attempt.number, **facts})


def _row(connection: Connection, identity: int) -> Row[Any]:
    return connection.execute(select(tables.attempts).where(_attempts.identity == identity)).one()


def _rows_of(connection: Connection, hidden_set: Digest) -> list[Row[Any]]:
    rows = select(tables.attempts).where(_attempts.hidden_set == hidden_set).order_by(_attempts.identity)
    return list(connection.execute(rows).all())


def _scored(connection: Connection, digest: Digest) -> Bits:
    row = connection.execute(select(_sets.rows, _sets.scored).where(_sets.digest == digest)).one_or_none()
    if row is None:
        raise NotFoundError("vault.unknown_set", digest=digest)
    return _unpacked(row.scored, row.rows)


def _attempt(row: Row[Any], hidden_set: HiddenSet, bundle: SetSecrets) -> VaultAttempt:
    return filled(
        VaultAttempt,
        row,
        alpha=alpha_of(hidden_set, row.number),
        state=AttemptState(row.state),
        order_commitment=digest_bytes(_order_secret(bundle, row.application, row.nonce)),
        cases=np.flatnonzero(_unpacked(row.reserved, hidden_set.rows)).astype(np.int64),
    )


def _order_secret(bundle: SetSecrets, application: Digest, nonce: str) -> bytes:
    return bundle.derive("order", application, nonce)


def _require_as_logged(vault: Vault, connection: Connection, digest: Digest) -> None:
    """Return if the log commits to the store's cases of this set and of the sets that share any with it."""
    others = [other.digest for other in neighbours_of(vault, connection, digest)]
    require_cases_as_logged(connection, vault.view.store.key.verifier, digest, *others)


def _scored_now(change: Transaction, digest: Digest, cases: Cases) -> dict[str, Fact]:
    """Count ``cases`` as scored and return the facts for the log."""
    scored = _scored(change.connection, digest)
    before = int(scored.sum())
    scored[cases] = True
    bits = update(tables.hidden_sets).where(_sets.digest == digest).values(scored=_packed(scored))
    change.connection.execute(bits)
    return {"cases": int(scored.sum()) - before, **case_fact(change.connection, digest)}


def _packed(bits: Bits) -> bytes:
    return np.packbits(bits, bitorder="little").tobytes()


def _unpacked(packed: bytes, size: int) -> Bits:
    return np.unpackbits(np.frombuffer(packed, dtype=np.uint8), count=size, bitorder="little").astype(np.bool_)
