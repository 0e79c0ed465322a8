"""The auditor's folder: which files it has, what they contain, and how each is written, byte by byte.

``ledger.json`` holds rows, ``*.csv`` the same for a spreadsheet, ``documents.jsonl`` every document that they name,
``log.jsonl`` the lines of the base's log about them with their proofs, ``checkpoint.txt`` the signed state that the
proofs lead to, ``log-key.txt`` the public key, ``manifest.json`` the digest of every other file. ``files/`` holds what
was handed in with claims; the claims contain its digests.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from pilotbase.documents.api.shapes import filled
from pilotbase.documents.base import Document
from pilotbase.documents.files import format_csv
from pilotbase.documents.hashes import canonical_json, digest_bytes, digest_json
from pilotbase_estate.documents.voucher import Settlement
from pilotbase_estate.vouchers.rows import ClaimRow, MoveRow, UseRow, VoucherRow

MANIFEST, LEDGER, DOCUMENTS = "manifest.json", "ledger.json", "documents.jsonl"
LOG, CHECKPOINT, KEY, README = "log.jsonl", "checkpoint.txt", "log-key.txt", "README.md"
PROOF = frozenset({LOG, CHECKPOINT, KEY, MANIFEST})
"""The files that prove the rest, and are in no digest in the log."""
FILES = "files"
"""Folder with the files of claims, each under its digest, if the base has them."""
EXPORTED = "voucher.exported"
"""The log's name for the making of such a folder."""


@dataclass(frozen=True)
class PostingRow:
    """The effect of one transfer on one account."""

    transfer: str
    account: str
    amount: int


@dataclass(frozen=True)
class AccountRow:
    """An account's balance after all postings."""

    account: str
    balance: int


@dataclass(frozen=True)
class Ledger:
    """All rows of a programme."""

    vouchers: tuple[VoucherRow, ...]
    uses: tuple[UseRow, ...]
    claims: tuple[ClaimRow, ...]
    moves: tuple[MoveRow, ...]
    postings: tuple[PostingRow, ...]
    accounts: tuple[AccountRow, ...]


@dataclass(frozen=True)
class BillLine:
    """One line of a bill, with the count behind it."""

    job: str
    attempt: int
    node: str
    source: str
    wall_ms: int
    dimension: str
    counted: int
    settled: int
    price: int
    cost: int
    subsidised: bool


@dataclass(frozen=True)
class LogLine:
    """A line of the base's log, and its path to the signed root."""

    number: int
    entry: str
    path: tuple[str, ...]


_LEDGER: TypeAdapter[Ledger] = TypeAdapter(Ledger)
_LINE: TypeAdapter[LogLine] = TypeAdapter(LogLine)


def format_ledger(ledger: Ledger) -> bytes:
    """Return ``ledger.json``."""
    return canonical_json(_LEDGER.dump_python(ledger, mode="json"))


def read_ledger(content: bytes) -> Ledger:
    """Return the content of ``ledger.json``; raises `ValueError`."""
    return _LEDGER.validate_json(content)


def tables_of(ledger: Ledger, settlements: Sequence[Settlement]) -> dict[str, bytes]:
    """Return file → bytes of every table."""
    found = {f"{part.name}.csv": _csv(getattr(ledger, part.name)) for part in fields(ledger)}
    return found | {"usage.csv": _csv(_usage_rows(settlements))}


def format_documents(documents: Sequence[Document]) -> bytes:
    """Return ``documents.jsonl``: each document as it is hashed, by digest."""
    return b"".join(one.canonical() + b"\n" for one in sorted(documents, key=lambda one: one.digest()))


def format_line(line: LogLine) -> bytes:
    """Return one line of ``log.jsonl``."""
    return canonical_json(_LINE.dump_python(line, mode="json")) + b"\n"


def read_line(content: bytes) -> LogLine:
    """Return the content of a line of ``log.jsonl``; raises `ValueError`."""
    return _LINE.validate_json(content)


def data_digest(files: Mapping[str, bytes]) -> str:
    """Return a folder's digest for the log: one digest over the digests of all files except its proof."""
    return digest_json({name: digest_bytes(files[name]) for name in sorted(files.keys() - PROOF)})


def format_manifest(programme: str, files: Mapping[str, bytes]) -> bytes:
    """Return ``manifest.json``."""
    listed = {name: digest_bytes(content) for name, content in sorted(files.items()) if name != MANIFEST}
    manifest = {"document": "voucher-evidence/1", "programme": programme, "files": listed}
    return json.dumps(manifest, indent=1, sort_keys=True).encode() + b"\n"


def _usage_rows(settlements: Sequence[Settlement]) -> tuple[BillLine, ...]:
    """Return the lines of bills, with the counters behind them."""
    return tuple(
        filled(
            BillLine,
            one.usage,
            job=one.job,
            attempt=one.attempt,
            dimension=line.of,
            counted=one.usage.counted.get(line.of, 0),
            settled=line.amount,
            price=line.price,
            cost=line.cost,
            subsidised=line.counts,
        )
        for one in sorted(settlements, key=lambda one: (one.job, one.attempt))
        for line in one.lines
    )


def _csv(rows: Sequence[Any]) -> bytes:
    header = [part.name for part in fields(rows[0])] if rows else []
    return format_csv(header, ([_cell(value) for value in astuple(row)] for row in rows))


def _cell(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
