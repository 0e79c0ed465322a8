"""How a certificate stands to whoever looks it up: the end of its days, the list, and which of them comes first."""

from datetime import timedelta

import pytest

from pilotbase.certificate.issuing import issue_certificate
from pilotbase.certificate.status import CertificateStatus, RevocationList, Revoked, standing_of
from tests.certificate.conftest import NOW


@pytest.fixture
def certificate(trust, plan, make_report):
    return issue_certificate(make_report(), plan, issuer=trust.issuer, now=NOW, expires_at=trust.expiry(NOW))


def listing(**entries):
    return RevocationList(issuer="base", number=1, issued_at=NOW, next_update=NOW + timedelta(days=7), **entries)


def test_it_holds_until_its_last_moment_and_not_in_it(certificate):
    ends = certificate.expires_at
    for listed in (None, listing()):
        assert standing_of(certificate, listed, ends - timedelta(microseconds=1)).status is CertificateStatus.VALID
        assert standing_of(certificate, listed, ends).status is CertificateStatus.EXPIRED


def test_revoked_stays_revoked_and_what_is_over_is_not_suspended(certificate):
    entry = Revoked(serial=certificate.serial, reason="harm", at=NOW)
    revoked, held = listing(revoked=(entry,), suspended=(entry,)), listing(suspended=(entry,))
    for at in (NOW, certificate.expires_at):
        standing = standing_of(certificate, revoked, at)
        assert (standing.status, standing.entry) == (CertificateStatus.REVOKED, entry)
    standing = standing_of(certificate, held, NOW)
    assert (standing.status, standing.entry) == (CertificateStatus.SUSPENDED, entry)
    assert standing_of(certificate, held, certificate.expires_at).status is CertificateStatus.EXPIRED
