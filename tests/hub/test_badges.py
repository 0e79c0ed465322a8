"""A person who brought an application to its certificate takes a badge that a stranger's library verifies."""

from dataclasses import replace

import pytest
from openbadgeslib import ob3

from pilotbase.certificate.revoking import suspend
from pilotbase.documents.hashes import digest_of, hex_of


@pytest.fixture
def public(monkeypatch):
    from django.conf import settings

    monkeypatch.setattr(settings, "CONFIGURATION", replace(settings.CONFIGURATION, url="https://hub.example"))


@pytest.fixture(scope="module")
def certified(one_world):
    one_world.trial.reach("certified")
    return one_world


@pytest.fixture(scope="module")
def serial(certified):
    return hex_of(certified.trial.report.digest())


def take(certified, serial, who):
    return certified.client(who).post(f"/certificates/{serial}/open-badge.jwt")


def read(certified, badge):
    visitor = certified.client()

    def fetch(address, *_, **__):
        return visitor.get(address.removeprefix("https://hub.example")).content

    verifier = ob3.OB3Verifier.for_issuer_did("did:web:hub.example", download=fetch)
    return verifier.verify(badge, "supplier@example.org", check_status=True, download=fetch)


@pytest.mark.usefixtures("public")
def test_the_supplier_takes_a_badge_that_holds_until_its_certificate_is_revoked(certified, serial):
    from pilotbase.hub.base import base

    badge = take(certified, serial, "supplier").content.decode()
    assert read(certified, badge).achievement.name == "Machine failure"
    known = base()
    suspend(known.trust, known.lab.view, known.revocations, digest_of(serial), "in doubt", known.lab.store.clock())
    with pytest.raises(ob3.OB3VerificationError, match="suspen"):
        read(certified, badge)


@pytest.mark.parametrize("who", ["owner", "desk", "other-supplier", "reviewer"])
def test_who_took_no_part_for_the_supplier_gets_none(certified, serial, who):
    page = certified.client(who).get(f"/certificates/{serial}/").content.decode()
    assert "open-badge.jwt" not in page
    answer = certified.client(who).post(f"/api/certificates/{serial}/badge")
    assert answer.status_code == 403, answer.content
    assert answer.json()["code"] == "certificate.badge.no_part"
