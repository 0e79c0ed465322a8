"""An auditor's folder checked offline: every proof, every sum, every settlement and every rule, computed again.

It needs only the folder and, for certainty, the base's public key from another source: a completely forged folder
carries a forged key. No folder can show what its base never wrote down.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TypeVar

from pilotbase.documents.base import Document
from pilotbase.documents.errors import InputError, PilotbaseError
from pilotbase.documents.estimate import PriceList
from pilotbase.documents.files import reading
from pilotbase.documents.hashes import digest_bytes, digest_file, digest_of
from pilotbase.documents.loading import current_version
from pilotbase.documents.quantities import format_bytes
from pilotbase.documents.texts import Text, text
from pilotbase.workspace.log.entries import STORED, LogEntry
from pilotbase.workspace.log.merkle import verify_inclusion
from pilotbase.workspace.log.notes import Checkpoint, LogVerifier
from pilotbase_estate.documents.voucher import (
    ClaimDecision,
    ClaimPayout,
    Settlement,
    UsageSheet,
    Voucher,
    VoucherClaim,
    VoucherHold,
    VoucherRules,
)
from pilotbase_estate.vouchers.exporting import (
    CHECKPOINT,
    DOCUMENTS,
    EXPORTED,
    FILES,
    KEY,
    LEDGER,
    LOG,
    MANIFEST,
    Ledger,
    data_digest,
    format_documents,
    format_ledger,
    format_line,
    format_manifest,
    read_ledger,
    read_line,
    tables_of,
)
from pilotbase_estate.vouchers.rows import GRANTED, ClaimRow, MoveRow, UseRow, VoucherRow
from pilotbase_estate.vouchers.rules import ClaimCase, Eligibility, is_reviewed, why_refused
from pilotbase_estate.vouchers.settling import settlement_of
from pilotbase_estate.vouchers.wallet import claims_account, fund_account, pocket, transfer_name

MOST_BYTES = 1 << 30
"""A folder larger than this is not one of our exports."""
T = TypeVar("T")
_PARTS = (CHECKPOINT, LOG, DOCUMENTS, LEDGER)
_KINDS: Mapping[str, type[Document]] = {
    current_version(model): model
    for model in (VoucherRules, PriceList, Voucher, VoucherHold, Settlement, VoucherClaim, ClaimDecision, ClaimPayout)
}


@dataclass(frozen=True)
class Audit:
    """The findings of an audit."""

    programme: str
    key: str
    """The public key that signed the log, as the base prints it."""
    moves: int
    settlements: int
    claims: int
    problems: tuple[Text, ...]
    """Empty: everything holds."""


def audit(folder: Path, key: str = "") -> Audit:
    """Return what a folder proves, and every problem of it.

    ``key``: the base's public key, from another source; None: the folder's own is believed.

    Raises:
        InputError: it is not such a folder, or ``key`` is not a key.
    """
    files = _read(folder)
    trusted = (key or files[KEY].decode("utf-8", "replace")).strip()
    problems: list[Text] = []
    verifier = LogVerifier.from_text(trusted)
    audited = _gathered(files, verifier, problems)
    problems += _of_files(files, audited)
    if audited is not None:
        problems += _of_documents(audited)
        problems += ledger_problems(audited)
        problems += _of_claim_files(folder, audited)
    return Audit(
        programme=audited.programme if audited else "",
        key=trusted,
        moves=len(audited.ledger.moves) if audited else 0,
        settlements=len(audited.of(Settlement)) if audited else 0,
        claims=len(audited.ledger.claims) if audited else 0,
        problems=tuple(problems),
    )


def _read(folder: Path) -> dict[str, bytes]:
    """Return file → bytes of an export; raises `InputError` for any other folder."""
    with reading(folder):
        paths = [path for path in sorted(folder.iterdir()) if path.is_file()]
        if not {MANIFEST, KEY, LEDGER} <= {path.name for path in paths}:
            raise InputError("voucher.no_evidence", folder=folder)
        if sum(path.stat().st_size for path in paths) > MOST_BYTES:
            raise InputError("voucher.evidence_too_large", folder=folder, most=format_bytes(MOST_BYTES))
        return {path.name: path.read_bytes() for path in paths}


def _gathered(files: Mapping[str, bytes], verifier: LogVerifier, problems: list[Text]) -> Audited | None:
    """Return all that can be read; None: something can't be read, which is reported, and nothing that depends on it is
    checked."""
    checkpoint = _part(files, CHECKPOINT, problems, lambda content: verifier.open(content.decode()))
    entries = None
    if checkpoint is not None:
        entries = _part(files, LOG, problems, partial(_proven, checkpoint))
    documents = _part(files, DOCUMENTS, problems, _documents)
    ledger = _part(files, LEDGER, problems, _ledger)
    if documents is None or ledger is None or entries is None:
        return None
    exported = next((entry for entry in reversed(entries) if entry.action == EXPORTED), None)
    if exported is None:
        problems.append(text("voucher.audit.not_exported"))
        return None
    return Audited(ledger, documents, entries, exported)


def _part(files: Mapping[str, bytes], name: str, problems: list[Text], reader: Callable[[bytes], T]) -> T | None:
    try:
        return reader(files[name])
    except KeyError:
        problems.append(text("voucher.audit.missing", file=name))
    except _LineError as error:
        problems.append(text("voucher.audit.line", file=name, line=error.line))
    except (PilotbaseError, ValueError):
        problems.append(text("voucher.audit.unreadable", file=name))
    return None


class _LineError(Exception):
    """A line that does not hold."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


def _proven(checkpoint: Checkpoint, content: bytes) -> list[LogEntry]:
    """Return the lines of the log, each of which leads to the signed root; raises `_LineError`."""
    found = []
    for number, raw in enumerate(content.splitlines(keepends=True), 1):
        try:
            line = read_line(raw)
            path = [bytes.fromhex(node) for node in line.path]
            body = line.entry.encode()
            holds = verify_inclusion(body, line.number, checkpoint.size, path, checkpoint.root)
            if not holds or format_line(line) != raw:
                raise _LineError(number)
            found.append(LogEntry.model_validate_json(body))
        except ValueError:
            raise _LineError(number) from None
    return found


def _documents(content: bytes) -> dict[str, Document]:
    found: dict[str, Document] = {}
    for number, raw in enumerate(content.splitlines(), 1):
        try:
            value = json.loads(raw)
            one = _KINDS[str(value["document"])].from_json_value(value)
        except (ValueError, KeyError, TypeError):
            raise _LineError(number) from None
        if one.canonical() != raw:
            raise _LineError(number)
        found[one.digest()] = one
    if format_documents(list(found.values())) != content:
        raise ValueError
    return found


def _ledger(content: bytes) -> Ledger:
    ledger = read_ledger(content)
    if format_ledger(ledger) != content:
        raise ValueError
    return ledger


def _of_files(files: Mapping[str, bytes], audited: Audited | None) -> Iterator[Text]:
    try:
        listed = dict(json.loads(files[MANIFEST])["files"])
    except (ValueError, KeyError, TypeError):
        listed = {}
    for name in sorted((listed.keys() | files.keys()) - {MANIFEST}):
        if name not in files:
            if name not in _PARTS:  # unreadable ones were reported when they were read
                yield text("voucher.audit.missing", file=name)
        elif listed.get(name) != digest_bytes(files[name]):
            yield text("voucher.audit.file", file=name)
    if audited is None:
        return
    if files[MANIFEST] != format_manifest(audited.programme, files):
        yield text("voucher.audit.file", file=MANIFEST)
    if audited.exported.facts.get("data") != data_digest(files):
        yield text("voucher.audit.data")
    for name, spelled in tables_of(audited.ledger, audited.of(Settlement)).items():
        if files.get(name) != spelled:
            yield text("voucher.audit.table", file=name, ledger=LEDGER)


def _of_documents(audited: Audited) -> Iterator[Text]:
    """Yield documents that are not in the log."""
    stored = {fact.removeprefix(STORED) for entry in audited.entries for fact in entry.facts if fact.startswith(STORED)}
    for digest in sorted(audited.documents.keys() - stored):
        yield text("voucher.audit.document", digest=digest)


def _of_claim_files(folder: Path, audited: Audited) -> Iterator[Text]:
    """Yield files of claims that no claim names, or that are not what it names."""
    named = {file.digest for one in audited.of(VoucherClaim) for file in one.files or ()}
    for path in sorted((folder / FILES).glob("*")):
        if digest_file(path) != digest_of(path.stem) or digest_of(path.stem) not in named:
            yield text("voucher.audit.claim_file", file=f"{FILES}/{path.name}")


D = TypeVar("D", bound=Document)
_STEPS = {
    "held": {"hold"},
    "settled": {"hold", "settle"},
    "released": {"hold", "release"},
    "lapsed": {"hold", "lapse"},
    "refunded": {"hold", "settle", "refund"},
}
"""State of a use → the steps that lead there."""
_POSTING = "posting "


@dataclass(frozen=True)
class Audited:
    """An export as read: rows, documents by digest, proven lines of the log."""

    ledger: Ledger
    documents: Mapping[str, Document]
    entries: Sequence[LogEntry]
    exported: LogEntry
    """The line that records the making of the folder."""

    @property
    def programme(self) -> str:
        return str(self.exported.facts.get("programme", ""))

    @cached_property
    def posted(self) -> Mapping[str, Mapping[str, int]]:
        """Transfer → account → amount."""
        found: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for row in self.ledger.postings:
            found[row.transfer][row.account] = row.amount
        return found

    def of(self, model: type[D]) -> list[D]:
        """Return the documents of a kind."""
        return [one for one in self.documents.values() if isinstance(one, model)]

    def get(self, digest: str, model: type[D]) -> D | None:
        """Return a document by its digest, if it exists and is of that kind."""
        found = self.documents.get(digest)
        return found if isinstance(found, model) else None


def ledger_problems(audited: Audited) -> Iterator[Text]:
    """Yield every problem."""
    yield from _of_moves(audited)
    yield from _of_accounts(audited)
    for row in audited.ledger.vouchers:
        if not _voucher_holds(audited, row):
            yield text("voucher.audit.voucher", voucher=row.identity)
    for use in audited.ledger.uses:
        if not _use_holds(audited, use):
            yield text("voucher.audit.use", job=use.job, attempt=use.attempt)
    yield from _of_claims(audited)


def _of_moves(audited: Audited) -> Iterator[Text]:
    """Yield movements that differ from the log, and missing numbers."""
    told = {str(entry.facts["transfer"]): entry for entry in audited.entries if "place" in entry.facts}
    for move in audited.ledger.moves:
        entry = told.get(move.transfer)
        amounts = audited.posted.get(move.transfer, {})
        if entry is None or not _is_told(entry, move, amounts) or sum(amounts.values()) != 0:
            yield text("voucher.audit.move", transfer=move.transfer)
    moved = {move.transfer for move in audited.ledger.moves}
    for transfer in sorted((audited.posted.keys() | told.keys()) - moved):
        yield text("voucher.audit.move", transfer=transfer)
    places = {move.place for move in audited.ledger.moves}
    for place in sorted(set(range(1, int(audited.exported.facts.get("moves", 0)) + 1)) ^ places):
        yield text("voucher.audit.gap", place=place)


def _is_told(entry: LogEntry, move: MoveRow, amounts: Mapping[str, int]) -> bool:
    facts = {name: value for name, value in entry.facts.items() if not name.startswith(_POSTING)}
    said = {name.removeprefix(_POSTING): value for name, value in entry.facts.items() if name.startswith(_POSTING)}
    expected = {"programme": move.programme, "place": move.place, "transfer": move.transfer, "amount": move.amount}
    subjects = (f"voucher:{move.voucher}", *([f"job:{move.job}"] if move.job else []))
    return (
        facts == expected
        and said == amounts
        and entry.time == move.moved_at
        and entry.action == f"voucher.{move.step}"
        and entry.subjects == subjects
        and move.transfer == transfer_name(move.programme, move.step, move.voucher, move.job, move.attempt)
    )


def _of_accounts(audited: Audited) -> Iterator[Text]:
    """Yield accounts that are not the sum of their postings, or are below their floor."""
    sums: defaultdict[str, int] = defaultdict(int)
    for row in audited.ledger.postings:
        sums[row.account] += row.amount
    said = {row.account: row.balance for row in audited.ledger.accounts}
    rules = audited.of(VoucherRules)
    floors = {fund_account(one): -max(each.total for each in rules) for one in rules}
    for account in sorted(sums.keys() | said.keys()):
        if sums.get(account) != said.get(account):
            yield text("voucher.audit.account", account=account, said=said.get(account, 0), found=sums.get(account, 0))
        if sums.get(account, 0) < floors.get(account, 0):
            yield text("voucher.audit.below", account=account, balance=sums[account])
    if sum(said.values()):
        yield text("voucher.audit.unbalanced", sum=sum(said.values()))


def _voucher_holds(audited: Audited, row: VoucherRow) -> bool:
    """Return whether a voucher matches its document, and was issued under its rules."""
    made, rules = audited.get(row.digest, Voucher), audited.get(row.rules, VoucherRules)
    if made is None or rules is None:
        return False
    said = (made.identity, made.programme, made.organisation, made.amount, made.rules, made.issued_at, made.expires_at)
    rowed = (row.identity, row.programme, row.organisation, row.amount, row.rules, row.issued_at, row.expires_at)
    free = pocket(row.organisation, row.identity, "free")
    issued = audited.posted.get(transfer_name(row.programme, "issue", row.identity), {})
    amounts = {fund_account(rules): -row.amount, free: row.amount}
    return said == rowed and issued == amounts and row.amount <= rules.cap_voucher


def _use_holds(audited: Audited, use: UseRow) -> bool:
    """Return whether a use matches its hold, took the steps to its state, and is settled by its rules."""
    hold = audited.get(use.hold, VoucherHold)
    if hold is None or use.programme != audited.programme:
        return False
    said = (hold.job, hold.attempt, hold.voucher, hold.organisation, hold.supplier, hold.held_at, hold.lapses_at)
    rowed = (use.job, use.attempt, use.voucher, use.organisation, use.supplier, use.held_at, use.lapses_at)
    here = (use.job, use.attempt)
    taken = {move.step for move in audited.ledger.moves if (move.job, move.attempt) == here} - {"claim", "pay"}
    if said != rowed or use.held != hold.held or taken != _STEPS[use.state]:
        return False
    pockets = {name: pocket(use.organisation, use.voucher, name) for name in ("free", "held", "used")}
    if _posted(audited, "hold", use) != {pockets["free"]: -use.held, pockets["held"]: use.held}:
        return False
    if use.state in ("held", "released"):
        return not use.settlement and use.subsidy == 0
    return (not use.settlement and use.state == "lapsed") or _is_settled(audited, use, hold, pockets["used"])


def _is_settled(audited: Audited, use: UseRow, hold: VoucherHold, used: str) -> bool:
    settled = audited.get(use.settlement, Settlement)
    rules, prices = audited.get(hold.rules, VoucherRules), audited.get(hold.prices, PriceList)
    if settled is None or rules is None or prices is None:
        return False
    part = ("job", "attempt", "started_at", "ended_at", "usage", "capacity")
    sheet = UsageSheet(**{name: getattr(settled, name) for name in part})
    anew = settlement_of(hold, rules, prices, sheet, use.state != "lapsed")
    paid = _posted(audited, "settle", use).get(used, 0)
    standing = settled.subsidy if use.state == "settled" else 0
    same = anew.model_copy(update={"settled_at": settled.settled_at}) == settled
    return same and paid == settled.subsidy and use.subsidy == standing


def _of_claims(audited: Audited) -> Iterator[Text]:
    """Yield claims that were not decided by the rules, as far as a folder shows."""
    in_year: defaultdict[tuple[str, int], int] = defaultdict(int)
    fees: defaultdict[str, int] = defaultdict(int)
    once: set[tuple[str, int]] = set()
    uses = {(use.job, use.attempt): use for use in audited.ledger.uses}
    for row in audited.ledger.claims:
        use = uses.get((row.job, row.attempt))
        before = (in_year[row.claimant, row.year], fees[row.payment])
        granted = row.state in GRANTED
        twice = granted and (row.job, row.attempt) in once
        if use is None or twice or not _claim_holds(audited, row, use, before):
            yield text("voucher.audit.claim", claim=row.identity)
        if granted:
            once.add((row.job, row.attempt))
            in_year[row.claimant, row.year] += row.amount
            fees[row.payment] += row.fee


def _claim_holds(audited: Audited, row: ClaimRow, use: UseRow, before: tuple[int, int]) -> bool:
    made, decision = audited.get(row.identity, VoucherClaim), audited.get(row.decision, ClaimDecision)
    if made is None or decision is None or decision.claim != row.identity:
        return False
    payment = made.payment.evidence if made.payment is not None else ""
    said = (made.job, made.attempt, made.claimant, made.side, payment, decision.amount, decision.fee)
    if said != (row.job, row.attempt, row.claimant, row.side, row.payment, row.amount, row.fee):
        return False
    if row.year != use.year or decision.granted != (row.state in GRANTED):
        return False
    if bool(decision.waits) != (row.state == "waiting") or not _decided_in_turn(row, decision):
        return False
    return not decision.granted or _grant_holds(audited, row, use, before)


def _decided_in_turn(row: ClaimRow, decision: ClaimDecision) -> bool:
    """Return whether rules decided at once, and a person after that."""
    at_once = decision.decided_at == row.claimed_at
    return at_once if decision.looked_at is None else decision.decided_at >= row.claimed_at


def _grant_holds(audited: Audited, row: ClaimRow, use: UseRow, before: tuple[int, int]) -> bool:
    settled, hold = audited.get(use.settlement, Settlement), audited.get(use.hold, VoucherHold)
    made = audited.get(row.identity, VoucherClaim)
    rules = None if hold is None else audited.get(hold.rules, VoucherRules)
    decision = audited.get(row.decision, ClaimDecision)
    if settled is None or made is None or rules is None or decision is None:
        return False
    if is_reviewed(rules, row.amount) and decision.looked_at is None:
        return False
    standing = Eligibility(use.organisation, use.supplier, use.subsidy, False, "", *before)
    case = ClaimCase(rules, made, settled, standing, {}, row.claimed_at)
    moved = _posted(audited, "claim", use).get(claims_account(row.claimant, row.programme, "granted")) == row.amount
    if row.state == "paid":
        account = claims_account(row.claimant, row.programme, "paid")
        moved = moved and _posted(audited, "pay", use).get(account) == row.amount
    return not why_refused(case) and (row.amount, row.fee) == (case.amount, case.fee) and moved


def _posted(audited: Audited, step: str, use: UseRow) -> Mapping[str, int]:
    return audited.posted.get(transfer_name(use.programme, step, use.voucher, use.job, use.attempt), {})
