"""Revoking, suspending, and the list that says so: kept in the store and its log; the public file is a signed copy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from pilotbase.certificate.bounded_json import read_evidence
from pilotbase.certificate.revocation import (
    LIST_LIFE,
    MAXIMUM_REASON,
    RevocationList,
    Revoked,
    read_revocations,
    seal_revocations,
)
from pilotbase.certificate.status import REVOCATIONS_HEAD
from pilotbase.certificate.trust import TrustFolder, write_public
from pilotbase.documents.errors import InputError, InvalidProofError
from pilotbase.workspace.actors import PUBLIC
from pilotbase.workspace.checks.proofs import proven_head
from pilotbase.workspace.store import View

_ACTION = "revocations.published"


def publish_revocations(trust: TrustFolder, view: View, path: Path, now: datetime) -> RevocationList:
    """Return the list of this base, as it now stands at ``path`` too.

    A new one, valid for `LIST_LIFE`, is signed when less than half of that is left, the signing key is newer than the
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
    return _publish(trust, view, path, now, _edit("revoked", serial, reason, now))


def suspend(trust: TrustFolder, view: View, path: Path, serial: str, reason: str, now: datetime) -> RevocationList:
    """Say on the list that the certificate ``serial`` does not hold for now; what is revoked stays so.

    Raises as `revoke`.
    """
    return _publish(trust, view, path, now, _edit("suspended", serial, reason, now))


def reinstate(trust: TrustFolder, view: View, path: Path, serial: str, now: datetime) -> RevocationList:
    """Take the suspension of the certificate ``serial`` off the list; raises as `publish_revocations`."""
    return _publish(trust, view, path, now, _edit("reinstated", serial, "", now))


@dataclass(frozen=True)
class _Edit:
    """One change of the list; the log knows it as ``certificate.<kind>``."""

    kind: Literal["revoked", "suspended", "reinstated"]
    entry: Revoked

    def stands_in(self, listed: RevocationList) -> bool:
        """Tell whether the list says so already."""
        revoked, held = listed.find(self.entry.serial), listed.find_suspended(self.entry.serial)
        return {
            "revoked": revoked is not None,
            "suspended": revoked is not None or held is not None,
            "reinstated": held is None,
        }[self.kind]


def _edit(kind: Literal["revoked", "suspended", "reinstated"], serial: str, reason: str, now: datetime) -> _Edit:
    if len(reason) > MAXIMUM_REASON:
        raise InputError("certificate.reason_too_long", length=len(reason), limit=MAXIMUM_REASON)
    return _Edit(kind, Revoked(serial=serial, reason=reason, at=now))


def _publish(trust: TrustFolder, view: View, path: Path, now: datetime, edit: _Edit | None = None) -> RevocationList:
    with view.transaction(_ACTION) as change:  # one at a time: no two lists of one number
        head = proven_head(view.store, REVOCATIONS_HEAD, _ACTION)
        kept = view.load(head, RevocationList) if head is not None else None
        shown = _read_copy(path, trust)
        known = [listed for listed in (kept, shown) if listed is not None]
        new = None if edit is None or (kept is not None and edit.stands_in(kept)) else edit
        if kept is not None and kept == shown and new is None and not _is_due(kept, trust, now):
            return kept
        found = _next_list(trust.issuer, known, new, now)
        envelope = seal_revocations(found, trust)
        change.set_head(REVOCATIONS_HEAD, change.put(found, PUBLIC), expected=head)
        if new is not None:
            change.record(f"certificate.{new.kind}", [new.entry.serial], {"reason": new.entry.reason})
        write_public(path, envelope.to_bytes())
    return found


def _read_copy(path: Path, trust: TrustFolder) -> RevocationList | None:
    try:
        found = read_revocations(read_evidence(path), trust.roots())
    except (InputError, InvalidProofError):
        return None
    return found if found.issuer == trust.issuer else None


def _is_due(listed: RevocationList, trust: TrustFolder, now: datetime) -> bool:
    renewal = listed.until - LIST_LIFE / 2
    return not listed.issued_at <= now <= renewal or listed.issued_at < trust.signing_span()[0]


def _next_list(issuer: str, before: list[RevocationList], new: _Edit | None, now: datetime) -> RevocationList:
    """Return the list after those ``before``: once revoked is for ever, what is suspended says the newest of them."""
    newest = max(before, key=lambda listed: listed.number, default=None)
    revoked: dict[str, Revoked] = {}
    for entry in (entry for listed in before for entry in listed.revoked):
        revoked.setdefault(entry.serial, entry)
    held = {entry.serial: entry for entry in newest.suspended} if newest else {}
    if new is not None and new.kind == "revoked":
        revoked.setdefault(new.entry.serial, new.entry)
    elif new is not None and new.kind == "suspended":
        held.setdefault(new.entry.serial, new.entry)
    elif new is not None:
        held.pop(new.entry.serial, None)
    return RevocationList(
        issuer=issuer,
        number=(newest.number if newest else 0) + 1,
        issued_at=now,
        next_update=now + LIST_LIFE,
        revoked=tuple(revoked.values()),
        suspended=tuple(entry for serial, entry in held.items() if serial not in revoked),
    )
