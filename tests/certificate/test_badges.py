"""A badge is verified by libraries of others, and refused once it is altered, revoked or out of date."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from pilotbase.certificate.badges import BadgeTerms, did_key, sign_badge, sign_status
from pilotbase.certificate.issuing import issue_certificate

ob3 = pytest.importorskip("openbadgeslib.ob3", reason="openbadgeslib is not installed: `make setup` has it")
openvc = pytest.importorskip("openvc", reason="openvc-core is not installed: `make setup` has it")
NOW = datetime.now(UTC)
"""Readers of others go by the clock of the machine."""
URL = "https://hub.example"


@pytest.fixture
def certificate(make_report, plan):
    return issue_certificate(make_report(), plan, issuer="base-one", now=NOW, expires_at=NOW + timedelta(days=300))


@pytest.fixture
def badge(certificate, trust):
    return sign_badge(certificate, BadgeTerms("li@example.org", "Milling machines", URL, 7), trust, NOW)


def lists(trust, revoked=(), suspended=(), length=10):
    signed = {"revocation": sign_status("revocation", revoked, length, URL, trust, NOW),
              "suspension": sign_status("suspension", suspended, length, URL, trust, NOW)}  # fmt: skip
    return lambda address, *_, **__: signed[address.rpartition("/")[2].removesuffix(".jwt")].encode()


def read(badge, trust, **asked):
    verifier = ob3.OB3Verifier.for_issuer_did(did_key(trust.signing_key().public_key()))
    return verifier.verify(badge, expected_recipient="li@example.org", **asked)


def test_two_libraries_of_others_verify_it(badge, trust):
    seen = read(badge, trust, check_status=True, download=lists(trust, revoked=(6, 8)))
    assert seen.achievement.name == "Milling machines"
    assert "recall(failure) >= 0.80" in seen.achievement.criteria_narrative
    assert openvc.verify_credential(badge, policy=openvc.VerificationPolicy(require_status=False)).credential


@pytest.mark.parametrize(("revoked", "suspended"), [((7,), ()), ((), (7,))])
def test_it_is_refused_once_its_certificate_is_revoked_or_suspended(badge, trust, revoked, suspended):
    with pytest.raises(ob3.OB3VerificationError):
        read(badge, trust, check_status=True, download=lists(trust, revoked, suspended))


def test_a_long_log_makes_a_longer_list(certificate, trust):
    terms = BadgeTerms("li@example.org", "Milling machines", URL, 200_000)
    badge = sign_badge(certificate, terms, trust, NOW)
    assert read(badge, trust, check_status=True, download=lists(trust, (199_999, 300_000), length=300_001))
    with pytest.raises(ob3.OB3VerificationError):
        read(badge, trust, check_status=True, download=lists(trust, (200_000,), length=200_001))


@pytest.mark.parametrize("altered", ["recipient", "signature"])
def test_it_is_refused_once_it_is_altered(badge, trust, altered):
    header, payload, signature = badge.split(".")
    if altered == "recipient":
        told = json.loads(base64.urlsafe_b64decode(payload + "=="))
        told["credentialSubject"]["id"] = told["vc"]["credentialSubject"]["id"] = told["sub"] = "mailto:wu@example.org"
        payload = base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=")
    else:
        signature = signature[::-1]
    forged = f"{header}.{payload}.{signature}"
    with pytest.raises(ob3.OB3VerificationError):
        ob3.OB3Verifier.for_issuer_did(did_key(trust.signing_key().public_key())).verify(forged)
    with pytest.raises(openvc.OpenvcError):
        openvc.verify_credential(forged)


def test_another_person_cannot_show_it(badge, trust):
    verifier = ob3.OB3Verifier.for_issuer_did(did_key(trust.signing_key().public_key()))
    with pytest.raises(ob3.OB3VerificationError):
        verifier.verify(badge, expected_recipient="wu@example.org")
