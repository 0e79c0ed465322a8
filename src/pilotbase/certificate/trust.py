"""The keys of a base: a root, to be taken offline, and the signing key that it certifies. Both can be rotated.

keys/root/<id>.pem      private root keys; move them to a safe medium and bring them back to rotate
keys/signing/<id>.pem   the private signing key in use
keys/trust.json         public data: roots, and the delegations that lead from them to the signing key
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import pydantic
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from pilotbase.certificate.bounded_json import DELEGATION, ROOTS, parse_model
from pilotbase.certificate.envelope import Envelope, PublicKey
from pilotbase.certificate.roots import Delegation, TrustedRoot, TrustRoots, delegate
from pilotbase.documents.base import Document, Moment, Name
from pilotbase.documents.errors import InputError, InvalidProofError, PilotbaseError, RefusedError
from pilotbase.documents.hashes import Digest, canonical_json, digest_bytes, hex_of
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.keys import KeyFolder, write_private

ROOT_DAYS = 20 * 365
SIGNING_DAYS = 2 * 365
CERTIFICATE_DAYS = 365
_STATE = "trust.json"
_NAMES = pydantic.TypeAdapter[str](Name)


class TrustState(Document):
    """The content of ``keys/trust.json``; nothing in it is secret."""

    document: Literal["trust/1"] = "trust/1"
    issuer: Name
    roots: tuple[TrustedRoot, ...]
    """Oldest first; the last one is in use."""
    signing_key: Digest
    signing_until: Moment
    retired: tuple[PublicKey, ...] = ()
    """Earlier signing keys that were rotated, not revoked: what they signed stays valid."""
    rotations: tuple[Envelope, ...] = ()
    """With these, each root except the first was certified by its predecessor."""
    delegation: Envelope
    """With this, the current root certified the signing key."""


@dataclass(frozen=True)
class TrustFolder:
    """The folder ``keys/`` of a base and the trust in it."""

    path: Path
    state: TrustState

    @property
    def issuer(self) -> str:
        """Return the name under which this base signs."""
        return self.state.issuer

    @property
    def chain(self) -> tuple[Envelope, ...]:
        """Return the delegations that lead from the first root to the signing key."""
        return (*self.state.rotations, self.state.delegation)

    def signing_span(self) -> tuple[datetime, datetime]:
        """Return the period for which the root authorises the signing key."""
        granted = parse_model(Delegation, self.state.delegation.content(), DELEGATION)
        return granted.valid_from, granted.valid_until

    def public_key(self) -> PublicKey:
        """Return the public half of the signing key in use."""
        return parse_model(Delegation, self.state.delegation.content(), DELEGATION).key

    def roots(self) -> TrustRoots:
        return TrustRoots(roots=self.state.roots)

    def expiry(self, now: datetime) -> datetime:
        """Return when a certificate issued ``now`` expires: after a year, or with the signing key if that is sooner."""
        return min(now + timedelta(days=CERTIFICATE_DAYS), self.state.signing_until)

    def signing_key(self) -> Ed25519PrivateKey:
        """Return the private signing key.

        Raises:
            RefusedError: the key file doesn't exist, or other users can read it.
            InvalidProofError: the file contains another key.
        """
        try:
            return _load(self.path, "signing", self.state.signing_key)
        except NotFoundError:
            raise RefusedError("certificate.no_signing_key", folder=self.path / "signing") from None

    def root_key(self) -> Ed25519PrivateKey:
        """Return the private root key in use; raises `RefusedError` when it is offline, as it should be."""
        key_id = self.state.roots[-1].key.key_id
        try:
            return _load(self.path, "root", key_id)
        except NotFoundError:
            raise RefusedError("certificate.root_offline", path=self.path / _file("root", key_id)) from None


def create_trust(keys_folder: Path, issuer: str, now: datetime) -> TrustFolder:
    """Return the trust in ``keys_folder``, creating the root and the signing key first if there is none.

    Concurrent callers get the same trust.

    Raises:
        InputError: ``issuer`` isn't a valid name; no key is created.
        RefusedError: the folder belongs to another issuer.
    """
    require_name(issuer)
    if not has_trust(keys_folder):
        _create(keys_folder, issuer, now)
    trust = open_trust(keys_folder)
    if trust.issuer != issuer:
        raise RefusedError("certificate.other_issuer", folder=keys_folder, found=trust.issuer, issuer=issuer)
    return trust


def has_trust(keys_folder: Path) -> bool:
    """Return whether ``keys_folder`` contains keys."""
    return (keys_folder / _STATE).exists()


def open_trust(keys_folder: Path) -> TrustFolder:
    """Return the trust in ``keys_folder``; raises `RefusedError` if there is none."""
    try:
        data = (keys_folder / _STATE).read_bytes()
    except FileNotFoundError:
        raise RefusedError("certificate.no_trust", folder=keys_folder) from None
    return TrustFolder(keys_folder, parse_model(TrustState, data, ROOTS))


def write_trust_roots(trust: TrustFolder, path: Path) -> TrustRoots:
    """Write the public roots of ``trust`` to ``path`` atomically, and return them."""
    roots = trust.roots()
    write_public(path, roots.canonical() + b"\n")
    return roots


def rotate_signing_key(trust: TrustFolder, now: datetime, *, compromised: bool = False) -> TrustFolder:
    """Return the trust with a new signing key, certified by the root; the old private key is removed.

    What the old key signed stays valid, unless it is ``compromised``: the roots must then be published again, they name
    the key, and everything it signed is invalid.

    Raises:
        RefusedError: the root key is offline.
    """
    root_key = trust.root_key()
    old, root = trust.state.signing_key, trust.state.roots[-1]
    signing = _make(trust.path, "signing")
    delegation = _delegate_signing(trust.issuer, root_key, root, signing, now)
    revoked = (*root.revoked_keys, old) if compromised else root.revoked_keys
    root = _standing_for(root.model_copy(update={"revoked_keys": revoked}), delegation)
    retired = trust.state.retired if compromised else (*trust.state.retired, trust.public_key())
    state = _with_signing(trust.state, (*trust.state.roots[:-1], root), signing, delegation)
    state = state.model_copy(update={"retired": retired})
    _write(trust.path, state)
    (trust.path / _file("signing", old)).unlink(missing_ok=True)
    return TrustFolder(trust.path, state)


def rotate_root(trust: TrustFolder, now: datetime) -> TrustFolder:
    """Return the trust with a new root signed by the old one; the signing key stays and is certified again.

    The old root is retired: once the roots are published again, it vouches only for what it has already signed. Its
    private key stays on disk; destroy it.

    Raises:
        RefusedError: the old root key is offline.
    """
    old_key, old = trust.root_key(), trust.state.roots[-1]
    root_key = _make(trust.path, "root")
    root = _new_root(trust.issuer, root_key, now)
    rotation = delegate(
        Delegation(issuer=trust.issuer, role="root", key=root.key, valid_from=now, valid_until=root.valid_until),
        old_key,
    )
    signing = trust.signing_key()
    delegation = _delegate_signing(trust.issuer, root_key, root, signing, now)
    retired = _standing_for(old, rotation).model_copy(update={"retired_at": now})
    roots = (*trust.state.roots[:-1], retired, _standing_for(root, delegation))
    state = _with_signing(trust.state, roots, signing, delegation).model_copy(
        update={"rotations": (*trust.state.rotations, rotation)}
    )
    _write(trust.path, state)
    return TrustFolder(trust.path, state)


def require_name(issuer: str) -> None:
    """Check that a base can sign under this name; raises `InputError`."""
    try:
        _NAMES.validate_python(issuer)
    except pydantic.ValidationError:
        raise InputError("certificate.bad_name", found=issuer) from None


def write_public(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` (mode 0644 under the umask); a reader sees the old or the new bytes.

    Raises:
        PilotbaseError: the write failed (disk full, folder missing or not writable).
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with draft.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    except OSError as error:
        raise PilotbaseError("certificate.cannot_write", path=path, reason=error.strerror) from error
    finally:
        draft.unlink(missing_ok=True)


def _create(keys_folder: Path, issuer: str, now: datetime) -> None:
    root_key, signing = _make(keys_folder, "root"), _make(keys_folder, "signing")
    root = _new_root(issuer, root_key, now)
    delegation = _delegate_signing(issuer, root_key, root, signing, now)
    state = TrustState(
        issuer=issuer,
        roots=(_standing_for(root, delegation),),
        signing_key=PublicKey.of(signing.public_key()).key_id,
        signing_until=now + timedelta(days=SIGNING_DAYS),
        delegation=delegation,
    )
    try:
        _write(keys_folder, state, replace=False)
    except FileExistsError:  # another process was first: its keys are used
        _remove(keys_folder, (("root", root_key), ("signing", signing)))


def _new_root(issuer: str, key: Ed25519PrivateKey, now: datetime) -> TrustedRoot:
    return TrustedRoot(
        issuer=issuer,
        key=PublicKey.of(key.public_key()),
        valid_from=now,
        valid_until=now + timedelta(days=ROOT_DAYS),
    )


def _delegate_signing(
    issuer: str, root_key: Ed25519PrivateKey, root: TrustedRoot, signing: Ed25519PrivateKey, now: datetime
) -> Envelope:
    until = min(now + timedelta(days=SIGNING_DAYS), root.valid_until)
    key = PublicKey.of(signing.public_key())
    return delegate(
        Delegation(issuer=issuer, role="signing", key=key, valid_from=now, valid_until=until),
        root_key,
    )


def _standing_for(root: TrustedRoot, link: Envelope) -> TrustedRoot:
    return root.model_copy(update={"delegations": (*root.delegations, digest_bytes(link.content()))})


def _with_signing(
    state: TrustState, roots: tuple[TrustedRoot, ...], signing: Ed25519PrivateKey, delegation: Envelope
) -> TrustState:
    granted = parse_model(Delegation, delegation.content(), DELEGATION)
    return state.model_copy(
        update={
            "roots": roots,
            "signing_key": PublicKey.of(signing.public_key()).key_id,
            "signing_until": granted.valid_until,
            "delegation": delegation,
        }
    )


def _file(folder: str, key_id: str) -> str:
    return f"{folder}/{hex_of(key_id)[:24]}.pem"


def _make(keys_folder: Path, folder: str) -> Ed25519PrivateKey:
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    KeyFolder(keys_folder).create(_file(folder, PublicKey.of(key.public_key()).key_id), lambda: pem)
    return key


def _load(keys_folder: Path, folder: str, key_id: str) -> Ed25519PrivateKey:
    name = _file(folder, key_id)
    pem = KeyFolder(keys_folder).read(name)
    try:
        key = load_pem_private_key(pem, password=None)
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PrivateKey) or PublicKey.of(key.public_key()).key_id != key_id:
        raise InvalidProofError("certificate.wrong_key", path=keys_folder / name)
    return key


def _remove(keys_folder: Path, keys: Iterable[tuple[str, Ed25519PrivateKey]]) -> None:
    for folder, key in keys:
        (keys_folder / _file(folder, PublicKey.of(key.public_key()).key_id)).unlink(missing_ok=True)


def _write(keys_folder: Path, state: TrustState, *, replace: bool = True) -> None:
    write_private(keys_folder / _STATE, canonical_json(state.to_json_value()) + b"\n", replace=replace)
