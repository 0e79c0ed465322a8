"""A person who brought an application to its certificate takes a badge that a stranger's library verifies."""

import pytest

from pilotbase.certificate.revoking import suspend
from pilotbase.documents.hashes import digest_of, hex_of

ob3 = pytest.importorskip("openbadgeslib.ob3", reason="openbadgeslib is not installed: `make setup` has it")


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
    from pilotbase.certificate.badges import did_key
    from pilotbase.hub.base import base

    verifier = ob3.OB3Verifier.for_issuer_did(did_key(base().trust.signing_key().public_key()))
    visitor = certified.client()

    def fetch(address, *_, **__):
        return visitor.get(f"/certificates/{address.partition('/certificates/')[2]}").content

    return verifier.verify(badge, "supplier@example.org", check_status=True, download=fetch)


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
