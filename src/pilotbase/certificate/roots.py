"""Trust roots, taken once from a trusted place, and the delegations that lead from them to a signing key."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Self

import pydantic
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import model_validator

from pilotbase.certificate.bounded_json import DELEGATION, ROOTS, parse_model
from pilotbase.certificate.envelope import Envelope, PublicKey, seal
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.base import Document, Moment, Name, Part
from pilotbase.documents.errors import InputError, InvalidProofError
from pilotbase.documents.hashes import Digest, digest_bytes
from pilotbase.documents.texts import Text

_MAXIMUM_ROOTS = 64
_DELEGATION_TYPE = "application/vnd.pilotbase.delegation+json"


class TrustedRoot(Part):
    """A root key of one issuer, and the delegations that it still vouches for."""

    issuer: Name
    key: PublicKey
    valid_from: Moment
    valid_until: Moment
    retired_at: Moment | None = None
    delegations: tuple[Digest, ...] = ()
    """A retired root vouches only for these delegations (digests of their payloads): if the key is stolen later, it
    can't create new ones."""
    revoked_keys: tuple[Digest, ...] = ()
    """Signing keys known to be compromised: nothing they signed is valid any more."""


class TrustRoots(Document):
    """The file ``trust-roots.json``; one file may contain the roots of several bases."""

    document: Literal["trust-roots/1"] = "trust-roots/1"
    roots: tuple[TrustedRoot, ...] = pydantic.Field(min_length=1, max_length=_MAXIMUM_ROOTS)


def read_trust_roots(data: bytes, file: str = "trust-roots.json") -> TrustRoots:
    """Parse the roots in ``data``; raises `InputError`, because a verifier chooses its own roots."""
    try:
        return parse_model(TrustRoots, data, ROOTS)
    except InvalidProofError as error:
        raise InputError("certificate.bad_roots", file=file, reason=error.text) from None


class Delegation(Document):
    """What a root signs: this key may act in this role for this issuer, between these two times."""

    document: Literal["delegation/1"] = "delegation/1"
    issuer: Name
    role: Literal["root", "signing"]
    key: PublicKey
    valid_from: Moment
    valid_until: Moment

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.valid_from >= self.valid_until:
            raise ValueError("valid_from must lie before valid_until")
        return self


@dataclass(frozen=True)
class TrustedKey:
    """A key reached through a chain: what it may do, for whom, and when."""

    key: PublicKey
    issuer: str
    role: Literal["root", "signing"]
    valid_from: datetime
    valid_until: datetime
    only_delegations: frozenset[str] | None = None
    """For a retired root: payload digests of the delegations that it still vouches for."""

    def covers(self, start: datetime, end: datetime) -> bool:
        return self.valid_from <= start and end <= self.valid_until


def delegate(delegation: Delegation, root: Ed25519PrivateKey) -> Envelope:
    """Return ``delegation`` signed by ``root``."""
    return seal(_DELEGATION_TYPE, delegation.canonical(), root)


def follow_chain(roots: TrustRoots, chain: Iterable[Envelope]) -> tuple[TrustedKey, ...]:
    """Return every key that ``roots`` vouch for, directly or through ``chain`` (links in order).

    Links not signed by a known root are skipped: a verifier whose roots are newer than the chain's first links doesn't
    need them. A key that can't be reached isn't trusted, so skipping links never admits a key.
    """
    trusted = [
        filled(TrustedKey, root, role="root", only_delegations=frozenset(root.delegations) if root.retired_at else None)
        for root in roots.roots
    ]
    revoked = {(root.issuer, key) for root in roots.roots for key in root.revoked_keys}
    for link in chain:
        granted = _granted(link, trusted)
        if granted is not None and (granted.issuer, granted.key.key_id) not in revoked:
            trusted.append(granted)
    return tuple(trusted)


def signers_of(envelope: Envelope, roots: TrustRoots, payload_type: str, what: Text) -> list[TrustedKey]:
    """Return the signing keys that ``roots`` vouch for and that signed; the payload isn't parsed before there is one.

    Raises:
        InvalidProofError: another type of payload, or no such key; the key that signed was revoked.
    """
    if envelope.payload_type != payload_type:
        raise InvalidProofError("certificate.other_payload", what=what, found=envelope.payload_type)
    signers = _signers(envelope, roots)
    if signers:
        return signers
    before = TrustRoots(roots=tuple(one.model_copy(update={"revoked_keys": ()}) for one in roots.roots))
    if _signers(envelope, before):
        raise InvalidProofError("certificate.key_revoked", what=what)
    raise InvalidProofError("certificate.untrusted", what=what)


def _signers(envelope: Envelope, roots: TrustRoots) -> list[TrustedKey]:
    trusted = (holder for holder in follow_chain(roots, envelope.chain) if holder.role == "signing")
    return [holder for holder in trusted if envelope.signed_by([holder.key])]


def _granted(link: Envelope, trusted: Iterable[TrustedKey]) -> TrustedKey | None:
    if link.payload_type != _DELEGATION_TYPE:
        return None
    signers = [holder for holder in trusted if holder.role == "root" and link.signed_by([holder.key])]
    if not signers:
        return None
    delegation = parse_model(Delegation, link.content(), DELEGATION)
    if not any(_may_grant(holder, delegation, digest_bytes(link.content())) for holder in signers):
        return None
    return filled(TrustedKey, delegation)


def _may_grant(root: TrustedKey, delegation: Delegation, digest: str) -> bool:
    if root.issuer != delegation.issuer or (root.only_delegations is not None and digest not in root.only_delegations):
        return False
    end = delegation.valid_until if delegation.role == "signing" else delegation.valid_from
    return root.covers(delegation.valid_from, end)
