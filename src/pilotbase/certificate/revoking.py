"""Revoking, and the list of what was revoked: kept in the store and its log; the public file is a signed copy."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from pilotbase.certificate.bounded_json import read_evidence
from pilotbase.certificate.files import write_public
from pilotbase.certificate.revocation import (
    MAXIMUM_REASON,
    RevocationList,
    Revoked,
    read_revocations,
    seal_revocations,
)
from pilotbase.certificate.trust import TrustFolder
from pilotbase.documents.errors import InputError, InvalidProofError
from pilotbase.workspace.actors import PUBLIC
from pilotbase.workspace.proofs import proven_head
from pilotbase.workspace.store import View

LIST_DAYS = 7
_HEAD, _ACTION = "revocations", "revocations.published"


def publish_revocations(trust: TrustFolder, view: View, path: Path, now: datetime) -> RevocationList:
    """Return the list of this base, as it now stands at ``path`` too.

    A new one, valid for `LIST_DAYS`, is signed when less than half of that is left, the signing key is newer than the
    list, or the file is not the list that the store keeps: lost, damaged, older. What a newer file names beyond the
    store, which may come from a backup, is taken over.

    Raises:
        RefusedError: ``now`` is outside the time of the signing key; the file is left as it was.
        InvalidProofError: the store keeps another list than the log saw.
    """
    return _publish(trust, view, path, now)


def revoke(trust: TrustFolder, view: View, path: Path, serial: str, reason: str, now: datetime) -> RevocationList:
    """Put the certificate ``serial`` on the list and return it, logged and written to ``path``: all of it or nothing.

    Revoking twice keeps the first entry. Raises as `publish_revocations`, and `InputError` for too long a reason.
    """
    if len(reason) > MAXIMUM_REASON:
        raise InputError("certificate.reason_too_long", length=len(reason), limit=MAXIMUM_REASON)
    return _publish(trust, view, path, now, Revoked(serial=serial, reason=reason, at=now))


def _publish(trust: TrustFolder, view: View, path: Path, now: datetime, added: Revoked | None = None) -> RevocationList:
    with view.transaction(_ACTION) as change:  # one at a time: no two lists of one number
        head = proven_head(view.store, _HEAD, _ACTION)
        kept = view.load(head, RevocationList) if head is not None else None
        shown = _read_copy(path, trust)
        new = None if added is None or (kept is not None and kept.find(added.serial)) else added
        if kept is not None and kept == shown and new is None and not _is_due(kept, trust, now):
            return kept
        found = _next_list(trust.issuer, [listed for listed in (kept, shown) if listed is not None], new, now)
        envelope = seal_revocations(found, trust)
        change.set_head(_HEAD, change.put(found, PUBLIC), expected=head)
        if new is not None:
            change.record("certificate.revoked", [new.serial], {"reason": new.reason})
        write_public(path, envelope.to_bytes())
    return found


def _read_copy(path: Path, trust: TrustFolder) -> RevocationList | None:
    try:
        found = read_revocations(read_evidence(path), trust.roots())
    except (InputError, InvalidProofError):
        return None
    return found if found.issuer == trust.issuer else None


def _is_due(listed: RevocationList, trust: TrustFolder, now: datetime) -> bool:
    renewal = listed.next_update - timedelta(days=LIST_DAYS) / 2
    return not listed.issued_at <= now <= renewal or listed.issued_at < trust.signing_span()[0]


def _next_list(issuer: str, before: list[RevocationList], new: Revoked | None, now: datetime) -> RevocationList:
    entries = [entry for listed in before for entry in listed.revoked] + ([new] if new else [])
    first: dict[str, Revoked] = {}
    for entry in entries:
        first.setdefault(entry.serial, entry)
    return RevocationList(
        issuer=issuer,
        number=max((listed.number for listed in before), default=0) + 1,
        issued_at=now,
        next_update=now + timedelta(days=LIST_DAYS),
        revoked=tuple(first.values()),
    )
