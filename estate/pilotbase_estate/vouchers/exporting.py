"""The auditor's folder of a programme: money, uses, usage records, rules and claims, with their place in the log."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from sqlalchemy import Connection

from pilotbase.documents.base import Document
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.prices import PriceList
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
from pilotbase_estate.vouchers.evidence_files import (
    CHECKPOINT,
    DOCUMENTS,
    EXPORTED,
    KEY,
    LEDGER,
    LOG,
    MANIFEST,
    README,
    AccountRow,
    Ledger,
    LogLine,
    PostingRow,
    data_digest,
    format_documents,
    format_ledger,
    format_line,
    format_manifest,
    tables_of,
)
from pilotbase_estate.vouchers.programmes import rules_of

_README = """# Evidence of a voucher programme 算力券计划审计证据

`pilotbase voucher audit FOLDER` computes every sum in here again, without a base, and names each line that does not
hold. Compare the key it prints with the one that the base's operator has given you by another way.

`pilotbase voucher audit FOLDER` 可脱离平台重新计算本文件夹中的每一笔合计，并指出不成立的每一行。
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
