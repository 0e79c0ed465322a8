"""Trust roots: the public keys, taken once from a trusted place, against which everything else is checked offline."""

from __future__ import annotations

from typing import Literal

import pydantic

from pilotbase.certificate.bounded_json import ROOTS, parse_model
from pilotbase.certificate.public_keys import PublicKey
from pilotbase.documents.base import Document, Moment, Name, Part
from pilotbase.documents.errors import InputError, InvalidProofError
from pilotbase.documents.hashes import Digest

MAXIMUM_ROOTS = 64


class TrustedRoot(Part):
    """A root key of one issuer, and for which of its delegations it still stands."""

    issuer: Name
    key: PublicKey
    valid_from: Moment
    valid_until: Moment
    retired_at: Moment | None = None
    delegations: tuple[Digest, ...] = ()
    """Once retired, a root vouches for these delegations only (digests of their payloads): whoever steals it later
    can make no new ones."""
    revoked_keys: tuple[Digest, ...] = ()
    """Signing keys that are known to be in wrong hands: nothing they signed is valid any more."""


class TrustRoots(Document):
    """The file ``trust-roots.json``; roots of several bases may stand in one file."""

    document: Literal["trust-roots/1"] = "trust-roots/1"
    roots: tuple[TrustedRoot, ...] = pydantic.Field(min_length=1, max_length=MAXIMUM_ROOTS)


def read_trust_roots(data: bytes, file: str = "trust-roots.json") -> TrustRoots:
    """Return the roots that ``data`` spells; raises `InputError`, for a verifier chooses its roots itself."""
    try:
        return parse_model(TrustRoots, data, ROOTS)
    except InvalidProofError as error:
        raise InputError("certificate.bad_roots", file=file, reason=error.text) from None
