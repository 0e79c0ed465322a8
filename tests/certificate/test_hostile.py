"""Certificates by strangers: changed, forged, oversized, malformed. None is valid, none breaks the reader."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pilotbase.certificate.bounded_json import read_evidence
from pilotbase.certificate.envelope import PAYLOAD_TYPE, Envelope, PublicKey, seal, write_statement
from pilotbase.certificate.issuing import issue_certificate
from pilotbase.certificate.roots import Delegation, delegate, read_trust_roots
from pilotbase.certificate.status import REVOCATIONS_TYPE
from pilotbase.certificate.trust import TrustFolder, create_trust
from pilotbase.certificate.verification import verify_certificate
from pilotbase.documents.errors import InputError, InvalidProofError
from pilotbase.documents.plan import TrialPlan
from pilotbase.documents.report import Report

NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
Sign = Callable[..., bytes]


def refuse(data: bytes, trust: TrustFolder, match: str) -> None:
    with pytest.raises(InvalidProofError, match=match) as error:
        verify_certificate(data, trust.roots(), at=NOW)
    assert error.value.exit_code == 3
    assert error.value.render("en") and error.value.render("zh")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("nothing", b""),
        ("no JSON", b"certificate"),
        ("no UTF-8", b'{"payload":"\xff"}'),
        ("a list", b"[]"),
        ("deep", b"[" * 100_000),
        ("deep and closed", b'{"a":' * 50 + b"1" + b"}" * 50),
        ("brackets in a string", b'{"a":"' + b"[" * 1000 + b'"}'),
        ("open string of quotes", b'{"a":"' + b'\\"' * 300_000),
        ("huge", b'{"a":"' + b"x" * (1 << 20) + b'"}'),
        ("huge number", b'{"payloadType":' + b"9" * 5000 + b"}"),
        ("NaN", b'{"payloadType":NaN}'),
        ("infinity by size", b'{"payloadType":1e999}'),
        ("lone surrogate", b'{"payloadType":"\\ud800","payload":"","signatures":[{"sig":""}]}'),
        ("no signature", b'{"payload":"","payloadType":"application/vnd.in-toto+json","signatures":[]}'),
        ("wrong base64", b'{"payload":"e30","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"*"}]}'),
    ],
)
def test_malformed_is_invalid(name: str, data: bytes, shared_trust: TrustFolder) -> None:
    refuse(data, shared_trust, "cannot be read")


def test_double_keys_are_refused(shared_trust: TrustFolder, sign: Sign) -> None:
    data = sign(shared_trust)
    refuse(b'{"payloadType":"text/plain",' + data[1:], shared_trust, "a key stands twice")


def altered(data: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    envelope = json.loads(data)
    change(envelope)
    return json.dumps(envelope).encode()


def test_changed_statement_is_refused(shared_trust: TrustFolder, sign: Sign) -> None:
    def accept(envelope: dict[str, Any]) -> None:
        body = base64.b64decode(envelope["payload"]).replace(b'"verdict":"reject"', b'"verdict":"accept"')
        envelope["payload"] = base64.b64encode(body).decode()

    rejected = sign(shared_trust, verdict="reject")
    assert verify_certificate(rejected, shared_trust.roots(), at=NOW).certificate.verdict == "reject"
    refuse(altered(rejected, accept), shared_trust, "changed after signing")


def test_other_payload_type_is_refused(shared_trust: TrustFolder, sign: Sign) -> None:
    data = altered(sign(shared_trust), lambda envelope: envelope.update(payloadType="text/plain"))
    refuse(data, shared_trust, "payload type text/plain")


def test_list_of_revocations_is_no_certificate(shared_trust: TrustFolder) -> None:
    data = seal(REVOCATIONS_TYPE, b"{}", shared_trust.signing_key(), shared_trust.chain).to_bytes()
    refuse(data, shared_trust, "payload type")


def test_one_good_signature_among_strangers_counts(shared_trust: TrustFolder, sign: Sign) -> None:
    stranger = {"keyid": "sha256:00", "sig": base64.b64encode(b"\0" * 64).decode()}
    data = altered(sign(shared_trust), lambda envelope: envelope["signatures"].insert(0, stranger))
    assert verify_certificate(data, shared_trust.roots(), at=NOW)
    wrong_hint = altered(sign(shared_trust), lambda envelope: envelope["signatures"][0].update(keyid="another"))
    assert verify_certificate(wrong_hint, shared_trust.roots(), at=NOW), "a key id is a hint, not a proof"


def test_many_signatures_are_refused(shared_trust: TrustFolder, sign: Sign) -> None:
    data = altered(sign(shared_trust), lambda envelope: envelope.update(signatures=envelope["signatures"] * 9))
    refuse(data, shared_trust, "at most 8")


def test_without_delegation_nobody_is_trusted(shared_trust: TrustFolder, sign: Sign) -> None:
    refuse(altered(sign(shared_trust), lambda envelope: envelope.pop("chain")), shared_trust, "not signed by a key")


@pytest.fixture
def statement(plan: TrialPlan, make_report: Callable[..., Report]) -> bytes:
    certificate = issue_certificate(
        make_report(), plan, issuer="base-one", now=NOW, expires_at=NOW + timedelta(days=365)
    )
    return write_statement(certificate)


def grant(issuer: str, key: Ed25519PrivateKey, days: int, **changes: Any) -> Delegation:
    value: dict[str, Any] = {
        "issuer": issuer,
        "role": "signing",
        "key": PublicKey.of(key.public_key()),
        "valid_from": NOW,
        "valid_until": NOW + timedelta(days=days),
    }
    return Delegation(**{**value, **changes})


def forged(statement: bytes, key: Ed25519PrivateKey, *chain: Envelope) -> bytes:
    return seal(PAYLOAD_TYPE, statement, key, chain).to_bytes()


def test_self_made_chain_is_refused(shared_trust: TrustFolder, statement: bytes) -> None:
    root, key = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    refuse(forged(statement, key, delegate(grant("base-one", key, 400), root)), shared_trust, "not signed by a key")


def test_signing_key_cannot_delegate(shared_trust: TrustFolder, statement: bytes) -> None:
    key = Ed25519PrivateKey.generate()
    further = delegate(grant("base-one", key, 400), shared_trust.signing_key())
    refuse(forged(statement, key, *shared_trust.chain, further), shared_trust, "not signed by a key")


def test_root_key_itself_signs_no_certificates(shared_trust: TrustFolder, statement: bytes) -> None:
    refuse(forged(statement, shared_trust.root_key(), *shared_trust.chain), shared_trust, "not signed by a key")


def test_certificate_lives_inside_its_key_s_time(shared_trust: TrustFolder, statement: bytes) -> None:
    key = Ed25519PrivateKey.generate()
    good = delegate(grant("base-one", key, 365), shared_trust.root_key())
    assert verify_certificate(forged(statement, key, good), shared_trust.roots(), at=NOW)
    short = delegate(grant("base-one", key, 364), shared_trust.root_key())
    refuse(forged(statement, key, short), shared_trust, "is not allowed to sign for base-one in this period")
    beyond_root = delegate(grant("base-one", key, 365 * 21), shared_trust.root_key())
    refuse(forged(statement, key, beyond_root), shared_trust, "not signed by a key")


def test_one_base_cannot_sign_for_another(shared_trust: TrustFolder, statement: bytes, tmp_path: Path) -> None:
    other = create_trust(tmp_path / "other", "base-two", NOW)
    both = shared_trust.roots().model_copy(update={"roots": (*shared_trust.roots().roots, *other.roots().roots)})
    key = Ed25519PrivateKey.generate()
    for issuer, reason in (("base-two", "not allowed to sign for base-one"), ("base-one", "not signed by a key")):
        data = forged(statement, key, delegate(grant(issuer, key, 400), other.root_key()))
        with pytest.raises(InvalidProofError, match=reason):
            verify_certificate(data, both, at=NOW)


def test_subjects_must_be_the_certificate_s(shared_trust: TrustFolder, statement: bytes) -> None:
    swapped = json.loads(statement)
    swapped["subject"][0]["digest"]["sha256"] = "0" * 64
    body = json.dumps(swapped).encode()
    refuse(
        forged(body, shared_trust.signing_key(), *shared_trust.chain),
        shared_trust,
        "do not match those of the certificate",
    )


def test_other_predicate_is_refused(shared_trust: TrustFolder, statement: bytes) -> None:
    body = statement.replace(b"urn:pilotbase:certificate:1", b"https://slsa.dev/provenance/v1")
    refuse(forged(body, shared_trust.signing_key(), *shared_trust.chain), shared_trust, "slsa.dev")


def test_files_are_read_within_bounds(tmp_path: Path) -> None:
    large = tmp_path / "large.json"
    large.write_bytes(b" " * ((1 << 20) + 1))
    for path in (large, tmp_path / "absent.json", tmp_path):
        with pytest.raises(InputError) as error:
            read_evidence(path)
        assert str(path) in error.value.render("zh")


def test_bad_roots_are_the_user_s_input() -> None:
    with pytest.raises(InputError, match=r"mine\.json does not contain trust roots"):
        read_trust_roots(b'{"document":"trust-roots/1","roots":[]}', "mine.json")


@pytest.mark.parametrize("size", [31, 33])
def test_a_root_of_another_length_is_no_key(shared_trust: TrustFolder, size: int) -> None:
    def stretch(roots: dict[str, Any]) -> None:
        roots["roots"][0]["key"]["value"] = base64.b64encode(b"k" * size).decode()

    written = json.dumps(shared_trust.roots().to_json_value()).encode()
    assert read_trust_roots(altered(written, lambda _: None), "mine.json") == shared_trust.roots()
    with pytest.raises(InputError, match=r"mine\.json does not contain trust roots.*32 bytes"):
        read_trust_roots(altered(written, stretch), "mine.json")
