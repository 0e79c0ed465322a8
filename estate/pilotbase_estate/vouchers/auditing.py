"""An auditor's folder checked offline: every proof, every sum, every settlement and every rule, computed again.

It needs only the folder and, for certainty, the base's public key from another source: a completely forged folder
carries a forged key. No folder can show what its base never wrote down.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from pilotbase.documents.base import Document
from pilotbase.documents.errors import InputError, PilotbaseError
from pilotbase.documents.files import reading
from pilotbase.documents.hashes import digest_bytes, digest_file, digest_of
from pilotbase.documents.loading import current_version
from pilotbase.documents.prices import PriceList
from pilotbase.documents.quantities import format_bytes
from pilotbase.documents.texts import Text, text
from pilotbase.workspace.log.entries import STORED, LogEntry
from pilotbase.workspace.log.merkle import verify_inclusion
from pilotbase.workspace.log.notes import Checkpoint, LogVerifier
from pilotbase_estate.documents.voucher import (
    ClaimDecision,
    ClaimPayout,
    Settlement,
    Voucher,
    VoucherClaim,
    VoucherHold,
    VoucherRules,
)
from pilotbase_estate.vouchers.audited_ledger import Audited, ledger_problems
from pilotbase_estate.vouchers.evidence_files import (
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
