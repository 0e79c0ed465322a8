"""Keys: made once, kept private, rotated without losing what they signed, and dead when compromised."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pilotbase.certificate.envelope import PAYLOAD_TYPE, Envelope, PublicKey, read_statement, seal, write_statement
from pilotbase.certificate.issuing import issue_certificate, sign_certificate
from pilotbase.certificate.roots import Delegation, delegate
from pilotbase.certificate.trust import TrustFolder, create_trust, open_trust, rotate_root, rotate_signing_key
from pilotbase.certificate.verification import verify_certificate
from pilotbase.documents.errors import InputError, InvalidProofError, RefusedError
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.report import Report

NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=30)
Sign = Callable[..., bytes]


def test_created_once_and_private(trust: TrustFolder) -> None:
    again = create_trust(trust.path, "base-one", LATER)
    assert again == open_trust(trust.path) == trust
    private = [*trust.path.glob("root/*.pem"), *trust.path.glob("signing/*.pem")]
    assert len(private) == 2
    assert {path.stat().st_mode & 0o777 for path in private} == {0o600}
    assert b"PRIVATE" not in (trust.path / "trust.json").read_bytes()


def test_folder_of_another_base_is_refused(trust: TrustFolder) -> None:
    with pytest.raises(RefusedError, match="belong to base-one"):
        create_trust(trust.path, "base-two", NOW)


@pytest.mark.parametrize("name", ["", "Base One", "../base"])
def test_a_name_that_is_none_makes_no_keys(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="not a valid name for a base"):
        create_trust(tmp_path / "keys", name, NOW)
    assert not list(tmp_path.rglob("*.pem"))


def test_two_who_create_at_once_get_the_same_keys(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: create_trust(tmp_path / "keys", "base-one", NOW), range(8)))
    assert {trust.state.signing_key for trust in found} == {found[0].state.signing_key}
    assert len(list(tmp_path.glob("keys/signing/*.pem"))) == 1, "the losers' keys are removed"
    assert found[0].signing_key() and found[0].root_key()


def test_no_trust_yet(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="no keys"):
        open_trust(tmp_path)


def test_root_offline_signs_but_does_not_rotate(trust: TrustFolder, sign: Sign) -> None:
    shutil.rmtree(trust.path / "root")
    assert verify_certificate(sign(trust), trust.roots(), at=NOW)
    for rotate in (rotate_signing_key, rotate_root):
        with pytest.raises(RefusedError, match="root key is offline"):
            rotate(trust, LATER)


def test_missing_or_swapped_signing_key(trust: TrustFolder, sign: Sign) -> None:
    (key,) = trust.path.glob("signing/*.pem")
    (root,) = trust.path.glob("root/*.pem")
    shutil.copy2(root, key)
    with pytest.raises(InvalidProofError, match="does not contain the key"):
        sign(trust)
    key.unlink()
    with pytest.raises(RefusedError, match="signing key is not in"):
        sign(trust)


def test_rotated_signing_key_leaves_old_certificates_valid(trust: TrustFolder, sign: Sign) -> None:
    before = sign(trust)
    rotated = rotate_signing_key(trust, LATER)
    assert rotated == open_trust(trust.path)
    assert len(list(trust.path.glob("signing/*.pem"))) == 1
    after = sign(rotated, LATER)
    for roots in (trust.roots(), rotated.roots()):
        first = verify_certificate(before, roots, at=LATER)
        second = verify_certificate(after, roots, at=LATER)
        assert first.signed_by != second.signed_by


def test_certificate_from_before_a_rotation_is_not_signed_anew(trust: TrustFolder, sign: Sign) -> None:
    certificate = verify_certificate(sign(trust), trust.roots(), at=NOW).certificate
    with pytest.raises(RefusedError, match="valid from 2026-12-25"):
        sign_certificate(certificate, rotate_signing_key(trust, LATER))


def test_compromised_key_voids_what_it_signed(trust: TrustFolder, sign: Sign) -> None:
    before = sign(trust)
    rotated = rotate_signing_key(trust, LATER, compromised=True)
    with pytest.raises(InvalidProofError, match="key that was later revoked"):
        verify_certificate(before, rotated.roots(), at=LATER)
    assert verify_certificate(sign(rotated, LATER), rotated.roots(), at=LATER)
    twice = rotate_root(rotated, LATER)
    with pytest.raises(InvalidProofError, match="key that was later revoked"):
        verify_certificate(before, twice.roots(), at=LATER)


def test_rotated_root_is_reached_from_the_old_one(trust: TrustFolder, sign: Sign) -> None:
    before = sign(trust)
    rotated = rotate_root(rotate_root(trust, LATER), LATER)
    after = sign(rotated, LATER)
    assert verify_certificate(after, trust.roots(), at=LATER), "a verifier that knows the first root only"
    assert verify_certificate(after, rotated.roots(), at=LATER)
    assert verify_certificate(before, rotated.roots(), at=LATER), "certificates under the old root stay valid"
    newest = rotated.roots().model_copy(update={"roots": rotated.roots().roots[-1:]})
    assert verify_certificate(after, newest, at=LATER)


def test_retired_root_makes_no_new_delegations(trust: TrustFolder, sign: Sign) -> None:
    stolen = trust.root_key()
    thief = create_trust(trust.path.parent / "thief", "base-one", NOW)
    key = thief.signing_key()
    link = delegate(
        Delegation(
            issuer="base-one",
            role="signing",
            key=PublicKey.of(key.public_key()),
            valid_from=NOW,
            valid_until=NOW + timedelta(days=700),
        ),
        stolen,
    )
    certificate = read_statement(_payload(sign(trust)))
    forged = seal(PAYLOAD_TYPE, write_statement(certificate), key, (link,)).to_bytes()
    assert verify_certificate(forged, trust.roots(), at=NOW), "while the root is in use, its word counts"
    with pytest.raises(InvalidProofError, match="not signed by a key"):
        verify_certificate(forged, rotate_root(trust, LATER).roots(), at=LATER)


def _payload(data: bytes) -> bytes:
    return Envelope.model_validate_json(data).content()


def test_certificates_end_with_the_key_at_the_latest(
    trust: TrustFolder, plan: TrialPlan, make_report: Callable[..., Report]
) -> None:
    late = NOW + timedelta(days=700)
    assert trust.expiry(late) == trust.state.signing_until
    too_long = issue_certificate(
        make_report(), plan, issuer="base-one", now=late, expires_at=late + timedelta(days=365)
    )
    with pytest.raises(RefusedError, match="the signing key is valid"):
        sign_certificate(too_long, trust)
