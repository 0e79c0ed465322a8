"""A certificate holds only as it was signed, for its version, in its time, and while it is not revoked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pilotbase.certificate.roots import read_trust_roots
from pilotbase.certificate.trust import TrustFolder, create_trust, write_trust_roots
from pilotbase.certificate.verification import verify_certificate
from pilotbase.documents.errors import InvalidProofError
from pilotbase.documents.plan import TrialPlan

NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
Sign = Callable[..., bytes]


def test_valid_with_public_roots_alone(shared_trust: TrustFolder, sign: Sign, tmp_path: Path) -> None:
    write_trust_roots(shared_trust, tmp_path / "trust-roots.json")
    roots = read_trust_roots((tmp_path / "trust-roots.json").read_bytes())
    found = verify_certificate(sign(shared_trust), roots, at=NOW)
    assert found.certificate.application.name == "forest"
    assert found.revocation == "unknown"
    assert "revocation status unknown" in found.notes[0].render("en")
    assert "撤销状态未知" in found.notes[0].render("zh")


def test_void_for_any_other_version(shared_trust: TrustFolder, sign: Sign, plan: TrialPlan) -> None:
    found = verify_certificate(sign(shared_trust), shared_trust.roots(), at=NOW)
    application = plan.application
    assert found.matches(application.digest)
    assert found.matches(application.digest, application.environment)
    assert not found.matches(application.environment)
    assert not found.matches(application.digest, application.digest)
    with pytest.raises(InvalidProofError, match="void"):
        found.require(application.environment)


def test_signed_rejection_is_valid(shared_trust: TrustFolder, sign: Sign) -> None:
    found = verify_certificate(sign(shared_trust, verdict="reject"), shared_trust.roots(), at=NOW)
    assert found.certificate.verdict == "reject"


def test_expired_and_not_yet_valid(shared_trust: TrustFolder, sign: Sign) -> None:
    data, roots = sign(shared_trust), shared_trust.roots()
    verify_certificate(data, roots, at=NOW + timedelta(days=364))
    with pytest.raises(InvalidProofError, match="expired on 2027-11-25"):
        verify_certificate(data, roots, at=NOW + timedelta(days=365))
    with pytest.raises(InvalidProofError, match="valid only from"):
        verify_certificate(data, roots, at=NOW - timedelta(seconds=1))


def test_foreign_roots_do_not_vouch(shared_trust: TrustFolder, sign: Sign, tmp_path: Path) -> None:
    other = create_trust(tmp_path / "other", "base-one", NOW)
    with pytest.raises(InvalidProofError, match="not signed by a key"):
        verify_certificate(sign(shared_trust), other.roots(), at=NOW)
