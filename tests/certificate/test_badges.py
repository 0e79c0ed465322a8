"""A badge is verified by libraries of others, and refused once it is altered, revoked or out of date."""

import base64
import json
from datetime import UTC, datetime, timedelta

import openvc
import pytest
from openbadgeslib import ob3

from pilotbase.certificate.badges import BadgeTerms, did_document, issuer_of, sign_badge, sign_status
from pilotbase.certificate.issuing import issue_certificate
from pilotbase.certificate.trust import rotate_signing_key

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
    keys = json.dumps(did_document(trust, URL)).encode()

    def fetch(address, *_, **__):
        return keys if address == f"{URL}/.well-known/did.json" else signed[address[:-4].rpartition("/")[2]].encode()

    return fetch


def read(badge, fetch, recipient="li@example.org"):
    verifier = ob3.OB3Verifier.for_issuer_did("did:web:hub.example", download=fetch)
    return verifier.verify(badge, expected_recipient=recipient, check_status=True, download=fetch)


def test_two_libraries_of_others_verify_it(certificate, badge, trust):
    seen = read(badge, lists(trust, revoked=(6, 8)))
    assert seen.achievement.name == "Milling machines"
    assert "recall(failure) >= 0.80" in seen.achievement.criteria_narrative
    terms = BadgeTerms("li@example.org", "Milling machines", "http://127.0.0.1:8000", 7)
    assert issuer_of(trust, terms.url).startswith("did:key:")
    assert openvc.verify_credential(sign_badge(certificate, terms, trust, NOW)).credential


@pytest.mark.parametrize(("revoked", "suspended"), [((7,), ()), ((), (7,))])
def test_it_is_refused_once_its_certificate_is_revoked_or_suspended(badge, trust, revoked, suspended):
    with pytest.raises(ob3.OB3VerificationError):
        read(badge, lists(trust, revoked, suspended))


def test_it_outlives_a_rotation_of_the_key(badge, trust):
    assert read(badge, lists(rotate_signing_key(trust, NOW))).achievement.name == "Milling machines"


def test_it_ends_when_the_key_that_signed_it_is_revoked(badge, trust):
    with pytest.raises(ob3.OB3VerificationError):
        read(badge, lists(rotate_signing_key(trust, NOW, compromised=True)))


def test_a_long_log_makes_a_longer_list(certificate, trust):
    terms = BadgeTerms("li@example.org", "Milling machines", URL, 200_000)
    badge = sign_badge(certificate, terms, trust, NOW)
    assert read(badge, lists(trust, (199_999, 300_000), length=300_001))
    with pytest.raises(ob3.OB3VerificationError):
        read(badge, lists(trust, (200_000,), length=200_001))


@pytest.mark.parametrize("altered", ["recipient", "signature"])
def test_it_is_refused_once_it_is_altered(badge, trust, altered):
    header, payload, signature = badge.split(".")
    if altered == "recipient":
        told = json.loads(base64.urlsafe_b64decode(payload + "=="))
        told["credentialSubject"]["id"] = told["vc"]["credentialSubject"]["id"] = told["sub"] = "mailto:wu@example.org"
        payload = base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=")
    else:
        signature = signature[::-1]
    with pytest.raises(ob3.OB3VerificationError):
        read(f"{header}.{payload}.{signature}", lists(trust), "wu@example.org" if altered == "recipient" else None)


def test_another_person_cannot_show_it(badge, trust):
    with pytest.raises(ob3.OB3VerificationError):
        read(badge, lists(trust), "wu@example.org")
