"""Revoking and suspending, by a signed copy of a logged list; which certificates a new standard affects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pilotbase.certificate.bounded_json import DELEGATION, parse_model, read_evidence
from pilotbase.certificate.roots import Delegation, TrustRoots
from pilotbase.certificate.status import (
    LIST_LIFE,
    MAXIMUM_REASON,
    MOST_CERTIFICATES,
    REVOCATIONS_HEAD,
    CertificateStatus,
    IssuedCertificate,
    RevocationList,
    Revoked,
    issued_certificates,
    read_revocations,
    revocations_of,
    seal_revocations,
    standing_of,
)
from pilotbase.certificate.trust import TrustFolder, write_public
from pilotbase.documents.certificate import KEY_REVOKED, Certificate
from pilotbase.documents.errors import InputError, InvalidProofError
from pilotbase.documents.hashes import Digest
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.report import Report
from pilotbase.documents.standards import StandardProfile, StandardReference
from pilotbase.documents.vocabularies import Conformity
from pilotbase.standards.composing import HeldRequirement, RequirementChange, differences, packaged_profiles, touching
from pilotbase.standards.matrix import MatrixInputs, conformity_rows
from pilotbase.workspace.actors import PUBLIC
from pilotbase.workspace.checks.proofs import proven_head
from pilotbase.workspace.store import View

_ACTION = "revocations.published"


def publish_revocations(trust: TrustFolder, view: View, path: Path, now: datetime) -> RevocationList:
    """Return this base's current list and make sure that ``path`` contains it.

    A new list, valid for `LIST_LIFE`, is signed when less than half of that time is left, when the signing key is newer
    than the list, when it lacks certificates that a revoked key signed, or when the file isn't the list in the store:
    lost, damaged or older. If the file is newer than the store, which may have been restored from a backup, its
    additional entries are kept.

    Raises:
        RefusedError: ``now`` is outside the validity of the signing key; the file is left unchanged.
        InvalidProofError: the list in the store isn't the one in the log.
    """
    return _publish(trust, view, path, now)


def revoke(trust: TrustFolder, view: View, path: Path, serial: str, reason: str, now: datetime) -> RevocationList:
    """Add the certificate ``serial`` to the list and return it; the log and ``path`` change together or not at all.

    Revoking twice keeps the first entry. Raises as `publish_revocations`, and `InputError` if the reason is too long.
    """
    return _publish(trust, view, path, now, _edit("revoked", serial, reason, now))


def suspend(trust: TrustFolder, view: View, path: Path, serial: str, reason: str, now: datetime) -> RevocationList:
    """List the certificate ``serial`` as suspended; a revoked certificate stays revoked.

    Raises as `revoke`.
    """
    return _publish(trust, view, path, now, _edit("suspended", serial, reason, now))


def reinstate(trust: TrustFolder, view: View, path: Path, serial: str, now: datetime) -> RevocationList:
    """Remove the suspension of the certificate ``serial`` from the list; raises as `publish_revocations`."""
    return _publish(trust, view, path, now, _edit("reinstated", serial, "", now))


@dataclass(frozen=True)
class _Edit:
    """One change to the list, logged as ``certificate.<kind>``."""

    kind: Literal["revoked", "suspended", "reinstated"]
    entry: Revoked

    def stands_in(self, listed: RevocationList) -> bool:
        """Return whether the list already contains this change."""
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
    with view.transaction(_ACTION) as change:  # one at a time: no two lists get the same number
        head = proven_head(view.store, REVOCATIONS_HEAD, _ACTION)
        kept = view.load(head, RevocationList) if head is not None else None
        shown = _read_copy(path, trust)
        known = [listed for listed in (kept, shown) if listed is not None]
        new = None if edit is None or (kept is not None and edit.stands_in(kept)) else edit
        voided = tuple(_voided(trust.roots(), view, kept, now))
        if kept is not None and kept == shown and new is None and not voided and not _is_due(kept, trust, now):
            return kept
        found = _next_list(trust.issuer, known, new, now, voided)
        envelope = seal_revocations(found, trust)
        change.set_head(REVOCATIONS_HEAD, change.put(found, PUBLIC), expected=head)
        if new is not None:
            change.record(f"certificate.{new.kind}", [new.entry.serial], {"reason": new.entry.reason})
        for entry in voided:
            change.record("certificate.revoked", [entry.serial], {"reason": entry.reason})
        write_public(path, envelope.to_bytes())
    return found


def _voided(roots: TrustRoots, view: View, listed: RevocationList | None, now: datetime) -> Iterator[Revoked]:
    """Yield an entry for each certificate that a revoked key has signed and that isn't listed as revoked yet."""
    revoked = {key for root in roots.roots for key in root.revoked_keys}
    for stored in view.find("issued-certificate", limit=MOST_CERTIFICATES) if revoked else ():
        serial, keys = _signed_by(stored.body)
        if not keys.isdisjoint(revoked) and (listed is None or listed.find(serial) is None):
            yield Revoked(serial=serial, reason=KEY_REVOKED, at=now)


@lru_cache(maxsize=MOST_CERTIFICATES)
def _signed_by(body: bytes) -> tuple[Digest, frozenset[Digest]]:
    """Return the serial of an issued certificate and the keys that the root certified for its signature."""
    issued = IssuedCertificate.model_validate_json(body)
    granted = (parse_model(Delegation, link.content(), DELEGATION) for link in issued.envelope.chain)
    return issued.certificate.serial, frozenset(one.key.key_id for one in granted)


def _read_copy(path: Path, trust: TrustFolder) -> RevocationList | None:
    try:
        found = read_revocations(read_evidence(path), trust.roots())
    except (InputError, InvalidProofError):
        return None
    return found if found.issuer == trust.issuer else None


def _is_due(listed: RevocationList, trust: TrustFolder, now: datetime) -> bool:
    renewal = listed.until - LIST_LIFE / 2
    return not listed.issued_at <= now <= renewal or listed.issued_at < trust.signing_span()[0]


def _next_list(
    issuer: str, before: list[RevocationList], new: _Edit | None, now: datetime, voided: Iterable[Revoked]
) -> RevocationList:
    """Return the list that follows ``before``: revocations are permanent, suspensions are those of the newest list."""
    newest = max(before, key=lambda listed: listed.number, default=None)
    revoked: dict[str, Revoked] = {}
    for entry in (*(entry for listed in before for entry in listed.revoked), *voided):
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


@dataclass(frozen=True)
class Touched:
    """A requirement that now requires more, and whether the existing trial already meets it."""

    change: RequirementChange
    outcome: Conformity


@dataclass(frozen=True)
class Affected:
    """A certificate whose plan names another version of the profile."""

    certificate: Certificate
    status: CertificateStatus
    version: str
    """The version its plan was frozen with."""
    touched: tuple[Touched, ...]
    """Empty if no requirement became stricter."""

    @property
    def must_be_proven_again(self) -> bool:
        """Return whether the existing trial fails to show what the profile now requires."""
        return any(one.outcome is not Conformity.MET for one in self.touched)


def affected_certificates(view: View, profile: StandardProfile, at: datetime) -> list[Affected]:
    """Return the certificates visible to the actor whose plan names another version of ``profile``, newest first."""
    listed = revocations_of(view)
    found = []
    for certificate in issued_certificates(view):
        reference = _reference(view, certificate, profile.name)
        if reference is not None and reference.digest != profile.digest():
            status = standing_of(certificate, listed, at).status
            touched = _touched(view, certificate, reference, profile)
            found.append(Affected(certificate, status, reference.version, touched))
    return found


def _reference(view: View, certificate: Certificate, name: str) -> StandardReference | None:
    stored = view.get(certificate.plan)
    plan = stored.load(TrialPlan) if stored is not None else None
    return next((one for one in (plan.standards if plan else None) or () if one.name == name), None)


def _frozen(view: View, reference: StandardReference) -> StandardProfile | None:
    stored = view.get(reference.digest)
    if stored is not None:
        return stored.load(StandardProfile)
    packaged = packaged_profiles().get(reference.name)
    return packaged if packaged is not None and packaged.digest() == reference.digest else None


def _touched(
    view: View, certificate: Certificate, reference: StandardReference, profile: StandardProfile
) -> tuple[Touched, ...]:
    before = _frozen(view, reference)
    if before is None:  # the trial ran at a site and kept its profile there: treat all as changed
        changes = [RequirementChange("changed", None, one) for one in profile.requirements if not one.is_off]
    else:
        changes = touching(differences(before, profile), reference.also)
    rows = _rows(view, certificate, profile, changes)
    return tuple(Touched(change, outcome) for change, outcome in zip(changes, rows, strict=True))


def _rows(
    view: View, certificate: Certificate, profile: StandardProfile, changes: Sequence[RequirementChange]
) -> list[Conformity]:
    """Return how the trial meets each change; documents shown at the time of the trial aren't known here."""
    held = [HeldRequirement(profile, change.after) for change in changes if change.after is not None]
    stored = view.get(certificate.report)
    report = stored.load(Report) if stored is not None else None
    if report is None:
        shown = MatrixInputs()
    else:
        findings = [finding for section in report.sections for finding in section.findings]
        shown = MatrixInputs(criteria=report.criteria, findings=findings)
    return [row.outcome for row in conformity_rows(held, shown)]
