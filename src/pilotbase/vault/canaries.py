"""Canaries: made-up rows in each fetched copy of a file, different for each recipient, known to the vault alone.

If an owner's terms say so (``odrl:watermark``), a kept table has twice as many made-up rows as a copy gets. The file's
secret draws the half that an organisation gets, so that a leaked copy shows whom it was given to: a copy of somebody
else holds every second of them. Two recipients who compare copies find the rows in which they differ; a quarter of all
is in both, and names the two.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pydantic

from pilotbase.documents.base import Document, Part
from pilotbase.documents.subjects import holder_of
from pilotbase.documents.terms import AccessGrant
from pilotbase.evidence.distributions import hypergeometric_tail
from pilotbase.vault.dataset_files import KeptFile, open_marked, open_marks
from pilotbase.vault.place import Vault


class Canary(Part):
    """One made-up row."""

    place: int
    """The byte of the file that it precedes: the beginning of a row."""
    line: str
    """Its text in the file, with the line end."""
    cells: tuple[str, ...]
    shares: tuple[float, ...]
    """The share of the file's rows with the same value, column by column; at least one row's share."""


class FileMarks(Document):
    """The canaries of a kept file; sealed with it."""

    document: Literal["file-marks/1"] = "file-marks/1"
    secret: str = pydantic.Field(pattern=r"^[0-9a-f]{64}$")
    encoding: str
    columns: tuple[str, ...]
    canaries: tuple[Canary, ...]

    def of(self, organisation: str) -> tuple[int, ...]:
        """Return the canaries in an organisation's copy: half of them, the same each time."""
        secret = bytes.fromhex(self.secret)

        def drawn(number: int) -> bytes:
            return hmac.new(secret, f"{organisation}\n{number}".encode(), hashlib.sha256).digest()

        numbers = sorted(range(len(self.canaries)), key=drawn)
        return tuple(sorted(numbers[: len(numbers) // 2]))


@dataclass(frozen=True)
class Copy:
    """Somebody's copy of a file."""

    size: int
    pieces: Iterator[bytes]


@dataclass(frozen=True)
class CanaryMatch:
    """How many of the canaries found are in somebody's copy."""

    organisation: str
    found: int
    given: int
    chance: float
    """The probability that somebody else's copy holds as many of those found."""


@dataclass(frozen=True)
class Sighting:
    """The canaries of one kept file that a suspected file holds."""

    file: str
    version: str
    rows: int
    """Of the suspected file."""
    canaries: int
    found: int
    chance: float
    """A bound on the probability that rows drawn column by column hold so many of them."""
    copies: tuple[CanaryMatch, ...]
    """Most likely first."""


def open_copy(vault: Vault, kept: KeptFile, leave: AccessGrant, organisation: str) -> Copy:
    """Write the opening to the log, then return an organisation's copy of a file with canaries.

    Raises as `dataset_files.open_file`.
    """
    sealed, pieces = open_marked(vault, kept, leave)
    marks = FileMarks.model_validate_json(sealed)
    own = [marks.canaries[number] for number in marks.of(organisation)]
    inserted = sorted((one.place, one.line.encode(marks.encoding)) for one in own)
    return Copy(kept.size + sum(len(line) for _, line in inserted), _among(pieces, inserted))


def marks_of(vault: Vault, kept: KeptFile) -> FileMarks | None:
    """Write the opening to the log, then return the canaries of a file to its owner; None if it has none.

    Raises:
        RefusedError: the actor is neither the operator nor the owner.
    """
    vault.require_access(holder_of(kept.dataset))
    sealed = open_marks(vault, kept)
    return None if sealed is None else FileMarks.model_validate_json(sealed)


def sight(
    marks: FileMarks, kept: KeptFile, rows: int, found: Mapping[int, Collection[int]], to: Sequence[str]
) -> Sighting:
    """Return the sighting for what was ``found`` in ``rows`` rows: canary → the columns that identified it.

    ``to``: the organisations that were allowed to fetch the file.
    """
    count, pool = len(found), len(marks.canaries)
    shared = next(iter(found.values()), ())
    expected = sum(min(1.0, rows * math.prod(one.shares[at] for at in shared)) for one in marks.canaries)
    copies = []
    for organisation in to:
        own = set(marks.of(organisation))
        both = len(own & set(found))
        copies.append(CanaryMatch(organisation, both, len(own), hypergeometric_tail(both, len(own), pool, count)))
    return Sighting(
        file=kept.name,
        version=kept.version,
        rows=rows,
        canaries=pool,
        found=count,
        chance=_tail(count, expected),
        copies=tuple(sorted(copies, key=lambda one: (one.chance, -one.found, one.organisation))),
    )


def _among(pieces: Iterable[bytes], inserted: Sequence[tuple[int, bytes]]) -> Iterator[bytes]:
    """Yield the bytes of a file with those of ``inserted``, each before the byte at its place."""
    at, waiting = 0, list(reversed(inserted))
    for piece in pieces:
        done, parts = 0, []
        while waiting and waiting[-1][0] < at + len(piece):
            place, line = waiting.pop()
            parts += [piece[done : place - at], line]
            done = place - at
        yield b"".join([*parts, piece[done:]])
        at += len(piece)


def _tail(count: int, expected: float) -> float:
    """Return a bound on P(at least ``count``) of independent rare events, ``expected`` of them (Chernoff)."""
    return 1.0 if count <= expected else math.exp(count - expected) * (expected / count) ** count
