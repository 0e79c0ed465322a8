"""The auditor's folder of a programme: money, uses, usage records, rules and claims, with their place in the log.

The auditor's folder: which files it has, what they contain, and how each is written, byte by byte.

``ledger.json`` holds rows, ``*.csv`` the same for a spreadsheet, ``documents.jsonl`` every document that they name,
``log.jsonl`` the lines of the base's log about them with their proofs, ``checkpoint.txt`` the signed state that the
proofs lead to, ``log-key.txt`` the public key, ``manifest.json`` the digest of every other file. ``files/`` holds what
was handed in with claims; the claims contain its digests.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection

from pilotbase.documents.api.shapes import filled
from pilotbase.documents.base import Document
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.estimate import PriceList
from pilotbase.documents.files import format_csv
from pilotbase.documents.hashes import canonical_json, digest_bytes, digest_json
from pilotbase.workspace.engine import machine_failure
from pilotbase.workspace.log import entries as log
from pilotbase.workspace.log.entries import STORED, Fact, LogEntry
from pilotbase.workspace.store import View
from pilotbase_estate.documents.voucher import (
    ClaimDecision,
    ClaimPayout,
    Settlement,
    Voucher,
    VoucherClaim,
    VoucherHold,
    VoucherRules,
)
from pilotbase_estate.vouchers import rows
from pilotbase_estate.vouchers.rows import ClaimRow, MoveRow, UseRow, VoucherRow
from pilotbase_estate.vouchers.wallet import rules_of

_README = """# Evidence of a voucher programme 算力券计划审计证据

`pilotbase voucher audit FOLDER` computes every sum in here again, without a base, and names each line that does not
hold. Compare the key it prints with the one that the base's operator has given you by another way.

`pilotbase voucher audit FOLDER` 可脱离基地重新计算本文件夹中的每一笔合计，并指出不成立的每一行。
请将其打印的公钥与运营方另行提供的公钥核对。
"""


def export_programme(view: View, programme: str, folder: Path) -> int:
    """Write the auditor's folder of a programme, and return how many movements it contains.

    The log itself records that it was made, and over which figures.

    Raises:
        RefusedError: the actor is neither operator nor regulator.
        NotFoundError: there is no such programme.
        InputError: the folder exists and is not empty.
    """
    if not view.actor.sees_all:
        raise RefusedError("voucher.export_not_yours", organisation=view.actor.organisation)
    rules_of(view, programme)
    if folder.exists() and any(folder.iterdir()):
        raise InputError("voucher.folder_not_empty", folder=folder)
    with view.transaction("voucher.export") as change:
        ledger = ledger_of(change.connection, view, programme)
        documents = _documents_of(view.within(change), ledger)
        settlements = [one for one in documents.values() if isinstance(one, Settlement)]
        files = {LEDGER: format_ledger(ledger), DOCUMENTS: format_documents(list(documents.values()))}
        files |= {README: _README.encode(), **tables_of(ledger, settlements)}
        data = data_digest(files)
        facts: dict[str, Fact] = {"programme": programme, "moves": len(ledger.moves), "data": data}
        change.record(EXPORTED, [f"voucher-rules:{programme}"], facts)
    files |= _proof(view, programme, frozenset(documents), data)
    files[MANIFEST] = format_manifest(programme, files)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise machine_failure(error, folder) from error
    return len(ledger.moves)


def ledger_of(connection: Connection, view: View, programme: str) -> Ledger:
    """Return all rows of a programme, oldest first."""
    actor = view.actor
    postings = tuple(PostingRow(*row) for row in rows.postings_of(connection, programme))
    balances: defaultdict[str, int] = defaultdict(int)
    for posting in postings:
        balances[posting.account] += posting.amount
    return Ledger(
        vouchers=tuple(reversed(rows.vouchers_of(connection, actor, programme=programme))),
        uses=tuple(reversed(rows.seen_uses(connection, actor, programme=programme))),
        claims=tuple(reversed(rows.seen_claims(connection, actor, programme=programme))),
        moves=tuple(rows.moves_of(connection, programme=programme)),
        postings=postings,
        accounts=tuple(AccountRow(name, held) for name, held in sorted(balances.items())),
    )


def _documents_of(here: View, ledger: Ledger) -> Mapping[str, Document]:
    """Return digest → document for everything that the rows of a programme name."""
    found: dict[str, Document] = {}
    for row in ledger.vouchers:
        found |= {row.digest: here.load(row.digest, Voucher), row.rules: here.load(row.rules, VoucherRules)}
    for use in ledger.uses:
        hold = here.load(use.hold, VoucherHold)
        found |= {use.hold: hold, hold.prices: here.load(hold.prices, PriceList)}
        if use.settlement:
            found[use.settlement] = here.load(use.settlement, Settlement)
    for claim in ledger.claims:
        found[claim.identity] = here.load(claim.identity, VoucherClaim)
        found[claim.decision] = here.load(claim.decision, ClaimDecision)
        if claim.state == "paid":
            paid = here.find("voucher-payout", {"claim": claim.identity})
            found |= {one.digest: one.load(ClaimPayout) for one in paid}
    return found


def _proof(view: View, programme: str, documents: frozenset[str], data: str) -> dict[str, bytes]:
    """Return the lines of the log about a programme, each with its proof, and the state that they lead to."""
    checkpoint = view.checkpoint()
    with view.reading() as connection:
        told = [entry.number for entry in _telling(connection, programme, documents, data)]
        proofs = [log.prove_inclusion(connection, number, checkpoint) for number in told]
    lines = (LogLine(one.number, one.entry.decode(), tuple(node.hex() for node in one.path)) for one in proofs)
    return {
        LOG: b"".join(map(format_line, lines)),
        CHECKPOINT: checkpoint.note.encode(),
        KEY: f"{view.store.key.verifier}\n".encode(),
    }


def _telling(connection: Connection, programme: str, documents: frozenset[str], data: str) -> Iterator[LogEntry]:
    wanted = {f"{STORED}{digest}" for digest in documents}
    for entry in log.entries(connection):
        moved = "place" in entry.facts and entry.facts.get("programme") == programme
        exported = entry.action == EXPORTED and entry.facts.get("data") == data
        if moved or exported or not wanted.isdisjoint(entry.facts):
            yield entry


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
