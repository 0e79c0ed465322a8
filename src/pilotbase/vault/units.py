"""Whole units (patients, machines, shifts) of a hidden set: an attempt draws so many of them, and tears none.

Which cases belong together is kept encrypted under the set's own secret: neither what the units are called nor how
large they are is stored in the clear. Codes follow the first case of each unit, not its name.

A plan fixes how many units are drawn, never how many cases: units drawn until they have enough cases would end with a
large one too often. Every draw puts all units in a secret order and takes the first that are fresh, so its units, and
what it leaves, are random units whatever their sizes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pydantic

from pilotbase.documents.base import Document
from pilotbase.documents.errors import InvalidProofError, RefusedError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.plan import units_for
from pilotbase.evidence import draw_order
from pilotbase.vault.ciphers import open_bytes, seal_bytes
from pilotbase.vault.opening import Cases
from pilotbase.vault.overlaps import Bits
from pilotbase.vault.place import Vault
from pilotbase.vault.sealing import HiddenSet, secrets_of
from pilotbase.workspace import records
from pilotbase.workspace.actors import parties


class HiddenUnits(Document):
    """The record of a hidden set's units by one column."""

    document: Literal["hidden-units/1"] = "hidden-units/1"
    hidden_set: Digest
    owner: str
    column: str
    units: int = pydantic.Field(ge=1)
    rows: int = pydantic.Field(ge=1)
    members: Digest
    """Blob of the unit of each case, encrypted."""

    def held_by(self, cases: int) -> int:
        """Return how many units have ``cases`` cases on average, rounded down, but at least one."""
        return units_for(cases, self.units, self.rows)


@dataclass(frozen=True)
class DrawnUnits:
    """So many whole units ``of`` a hidden set."""

    of: HiddenUnits
    count: int


@dataclass(frozen=True)
class UnitsLeft:
    """What is left of a hidden set in units: those of which no box has seen a case, and those of which it saw a part.

    ``most``: the sizes of the units that may yet be drawn, largest first.
    """

    of: HiddenUnits
    fresh: int
    torn: int
    most: tuple[int, ...]

    def cases(self, units: int) -> int:
        """Return how many cases so many units have on average."""
        return max(1, round(units * self.of.rows / self.of.units))


def keep_units(vault: Vault, hidden_set: HiddenSet, column: str, codes: Cases) -> HiddenUnits:
    """Return the record of the units, kept the first time; ``codes``: one per case, shape (rows,)."""
    fields = {"hidden_set": hidden_set.digest(), "column": column}
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    place = np.empty(len(first), dtype=np.int64)
    place[np.argsort(first)] = np.arange(len(first))
    key = secrets_of(vault, hidden_set).derive("units", column)
    sealed = seal_bytes(key, place[inverse].astype("<i4").tobytes(), [hidden_set.identity, column])
    with vault.view.transaction("vault.units_kept") as change:
        known = records.find(change.connection, change.actor, "hidden-units", fields, 1)
        if known:
            return known[0].load(HiddenUnits)
        record = HiddenUnits(
            hidden_set=hidden_set.digest(),
            owner=hidden_set.owner,
            column=column,
            units=len(first),
            rows=hidden_set.rows,
            members=vault.blobs.put(sealed),
        )
        change.put(record, parties(), owner=hidden_set.owner, fields=fields)
    return record


def units_kept(vault: Vault, hidden_set: HiddenSet, column: str) -> HiddenUnits | None:
    """Return the record of a hidden set's units by ``column``; None where none was kept."""
    found = vault.view.find("hidden-units", {"hidden_set": hidden_set.digest(), "column": column}, limit=1)
    return found[0].load(HiddenUnits) if found else None


def unit_of_each(vault: Vault, hidden_set: HiddenSet, units: HiddenUnits) -> Cases:
    """Return the unit of each case, from 0, shape (rows,); raises `InvalidProofError` if what is kept was altered."""
    key = secrets_of(vault, hidden_set).derive("units", units.column)
    plain = open_bytes(key, vault.blobs.get(units.members), [hidden_set.identity, units.column])
    if plain is None or len(plain) != 4 * hidden_set.rows:
        raise InvalidProofError("vault.units_altered", column=units.column)
    return np.frombuffer(plain, dtype="<i4").astype(np.int64)


def units_left(codes: Cases, units: HiddenUnits, fresh: Bits, scored: Bits) -> UnitsLeft:
    """Return what is left of the units: ``fresh`` cases no attempt has had, ``scored`` ones no attempt can have."""
    sizes = np.bincount(codes, minlength=units.units)
    left = np.bincount(codes[fresh], minlength=units.units)
    drawable = sizes[np.bincount(codes[scored], minlength=units.units) == 0]
    whole = int((left == sizes).sum())
    torn = int(((left > 0) & (left < sizes)).sum())
    return UnitsLeft(units, whole, torn, tuple(sorted(map(int, drawable), reverse=True)))


def draw_units(codes: Cases, units: HiddenUnits, fresh: Bits, wanted: int, seed: bytes) -> Bits:
    """Return the cases of the first ``wanted`` fresh units in the secret order of ``seed``, one bit a case.

    Raises:
        RefusedError: fewer units are left, or a box has seen a part of one: what is left is then no random draw.
    """
    left = units_left(codes, units, fresh, ~fresh)
    if left.torn:
        raise RefusedError("vault.units_torn", unit=units.column, torn=left.torn)
    if not 1 <= wanted <= left.fresh:
        raise RefusedError("vault.no_fresh_units", unit=units.column, wanted=wanted, left=left.fresh)
    whole, order = np.bincount(codes[~fresh], minlength=units.units) == 0, draw_order(units.units, seed)
    chosen = np.zeros(units.units, dtype=np.bool_)
    chosen[order[whole[order]][:wanted]] = True
    return chosen[codes]


def follows(codes: Cases, units: HiddenUnits, drawn: Bits, ever: Bits, seed: bytes) -> bool:
    """Return whether ``drawn`` can be a draw of whole units in the order of ``seed``.

    Before the last drawn unit, it has left out only units of which a case was scored, or given out at some time
    (``ever``, one bit a case, without this draw).
    """
    held = np.bincount(codes[drawn], minlength=units.units)
    sizes = np.bincount(codes, minlength=units.units)
    taken, order = held > 0, draw_order(units.units, seed)
    if (held[taken] != sizes[taken]).any() or not taken.any():
        return False
    spent = np.bincount(codes[ever], minlength=units.units) > 0
    before = order[: int(np.flatnonzero(taken[order])[-1])]
    return bool((taken | spent)[before].all())
