"""Revoked stays revoked, whatever happens to the public file; a list speaks for its days and says so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pilotbase.certificate.envelope import Envelope, read_statement
from pilotbase.certificate.revoking import publish_revocations, reinstate, revoke, suspend
from pilotbase.certificate.status import (
    CertificateStatus,
    IssuedCertificate,
    RevocationList,
    read_revocations,
    revocations_of,
    seal_revocations,
    standing_of,
)
from pilotbase.certificate.trust import TrustFolder, create_trust, rotate_signing_key
from pilotbase.certificate.verification import verify_certificate
from pilotbase.documents.certificate import Certificate, spoken_reason
from pilotbase.documents.errors import InputError, InvalidProofError, RefusedError, UnknownProofError
from pilotbase.worker.base import open_base, revoke_key, rotate_key
from pilotbase.workspace.actors import PUBLIC
from pilotbase.workspace.checks.reconciliation import verify_store
from pilotbase.workspace.home import init_home
from pilotbase.workspace.store import View

NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
Sign = Callable[..., bytes]
Publish = Callable[..., RevocationList]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "revocations.json"


@pytest.fixture
def publish(trust: TrustFolder, view: View, path: Path) -> Publish:
    return lambda days=0.0: publish_revocations(trust, view, path, NOW + timedelta(days=days))


def test_strict_needs_a_fresh_list(trust: TrustFolder, sign: Sign, publish: Publish, path: Path) -> None:
    data, roots = sign(trust), trust.roots()
    with pytest.raises(UnknownProofError, match="no list of revocations"):
        verify_certificate(data, roots, strict=True, at=NOW)
    publish()
    fresh = verify_certificate(data, roots, path.read_bytes(), strict=True, at=NOW + timedelta(hours=23))
    assert fresh.revocation == "good"
    assert "list 1 of 2026-11-25 08:00 UTC" in fresh.notes[0].render("en")
    assert "2026-11-26" in fresh.notes[0].render("zh")
    with pytest.raises(UnknownProofError, match="covers only"):
        verify_certificate(data, roots, path.read_bytes(), strict=True, at=NOW + timedelta(hours=25))
    stale = verify_certificate(data, roots, path.read_bytes(), at=NOW + timedelta(hours=25))
    assert stale.revocation == "unknown"


def test_what_a_revoked_key_signed_is_listed_as_revoked(trust: TrustFolder, sign: Sign, view: View, path: Path) -> None:
    """Whoever reads the list, or asks this base how a certificate stands, learns it from the list alone."""
    old = _issue(view, sign(trust))
    assert _statuses(view, old) == [CertificateStatus.VALID]
    rotated = rotate_signing_key(trust, NOW)
    kept = _issue(view, sign(rotated, software="kept"))
    publish_revocations(rotated, view, path, NOW)
    assert _statuses(view, old, kept) == [CertificateStatus.VALID] * 2, "a key that is only replaced voids nothing"
    compromised = rotate_signing_key(rotated, NOW, compromised=True)
    new = _issue(view, sign(compromised, NOW + timedelta(hours=1), software="new"))
    first = publish_revocations(compromised, view, path, NOW + timedelta(hours=2))
    assert _statuses(view, old, kept, new) == [
        CertificateStatus.VALID,
        CertificateStatus.REVOKED,
        CertificateStatus.VALID,
    ]
    assert [spoken_reason(one.reason).render("zh") for one in first.revoked] == ["签署它的密钥已撤销"]
    again = publish_revocations(compromised, view, path, NOW + timedelta(hours=3))
    assert again == first
    assert read_revocations(path.read_bytes(), compromised.roots()) == first


def _issue(view: View, data: bytes) -> Certificate:
    envelope = Envelope.model_validate_json(data)
    certificate = read_statement(envelope.content())
    with view.transaction("certificate.issued") as change:
        change.put(IssuedCertificate(certificate=certificate, envelope=envelope), PUBLIC)
    return certificate


def _statuses(view: View, *certificates: Certificate) -> list[CertificateStatus]:
    listed = revocations_of(view)
    return [standing_of(one, listed, NOW + timedelta(hours=3)).status for one in certificates]


def test_a_list_that_promises_itself_a_week_speaks_for_a_day(trust: TrustFolder, sign: Sign, path: Path) -> None:
    """As versions before this one signed them: kept back, it would have hidden a revocation for all that time."""
    data, roots = sign(trust), trust.roots()
    listed = RevocationList(issuer=trust.issuer, number=1, issued_at=NOW, next_update=NOW + timedelta(days=7))
    path.write_bytes(seal_revocations(listed, trust).to_bytes())
    assert verify_certificate(data, roots, path.read_bytes(), strict=True, at=NOW + timedelta(hours=23))
    with pytest.raises(UnknownProofError, match="covers only"):
        verify_certificate(data, roots, path.read_bytes(), strict=True, at=NOW + timedelta(hours=25))


def test_revoked_even_by_a_stale_list(trust: TrustFolder, view: View, sign: Sign, publish: Publish, path: Path) -> None:
    data, roots = sign(trust), trust.roots()
    serial = verify_certificate(data, roots, at=NOW).certificate.serial
    publish()
    found = revoke(trust, view, path, serial, "incident 7", NOW)
    assert (found.number, len(found.revoked)) == (2, 1)
    for days in (0, 30):
        with pytest.raises(InvalidProofError, match=r"revoked on 2026-11-25.*incident 7") as error:
            verify_certificate(data, roots, path.read_bytes(), at=NOW + timedelta(days=days))
        assert error.value.exit_code == 3
    assert revoke(trust, view, path, serial, "again", NOW) == found
    assert [entry.subjects for entry in view.log_entries() if entry.action == "certificate.revoked"] == [(serial,)]
    assert publish(7).find(serial), "a renewed list forgets nothing"


def test_what_is_suspended_does_not_hold_until_it_is_reinstated(
    trust: TrustFolder, view: View, sign: Sign, publish: Publish, path: Path
) -> None:
    data, roots = sign(trust), trust.roots()
    serial = verify_certificate(data, roots, at=NOW).certificate.serial
    suspend(trust, view, path, serial, "complaints", NOW)
    path.unlink()
    assert publish(5).find_suspended(serial), "neither a lost file nor a renewed list forgets it"
    with pytest.raises(InvalidProofError, match=r"suspended since 2026-11-25 08:00 UTC: complaints") as error:
        verify_certificate(data, roots, path.read_bytes(), at=NOW + timedelta(days=5))
    assert error.value.exit_code == 3
    reinstate(trust, view, path, serial, NOW + timedelta(days=5))
    assert verify_certificate(data, roots, path.read_bytes(), at=NOW + timedelta(days=6)).revocation == "good"
    told = [entry.action for entry in view.log_entries() if entry.subjects == (serial,)]
    assert told == ["certificate.suspended", "certificate.reinstated"]


def test_a_suspension_for_a_risk_warning_is_told_in_the_language_of_the_reader(
    trust: TrustFolder, view: View, sign: Sign, path: Path
) -> None:
    """The list keeps the words that lists have always kept, so that older ones are told the same."""
    data, roots = sign(trust), trust.roots()
    serial = verify_certificate(data, roots, at=NOW).certificate.serial
    listed = suspend(trust, view, path, serial, "risk warning", NOW)
    with pytest.raises(InvalidProofError) as error:
        verify_certificate(data, roots, path.read_bytes(), at=NOW)
    assert error.value.text.render("zh") == "证书自 2026-11-25 08:00 UTC 起暂停：风险预警"
    assert error.value.text.render("en").endswith(": risk warning")
    assert [entry.reason for entry in listed.suspended] == ["risk warning"]


def test_no_reinstatement_brings_back_what_was_revoked(trust: TrustFolder, view: View, sign: Sign, path: Path) -> None:
    data, roots = sign(trust), trust.roots()
    serial = verify_certificate(data, roots, at=NOW).certificate.serial
    suspend(trust, view, path, serial, "complaints", NOW)
    revoke(trust, view, path, serial, "harm", NOW)
    reinstate(trust, view, path, serial, NOW)
    listed = suspend(trust, view, path, serial, "again", NOW)
    assert (len(listed.revoked), listed.suspended) == (1, ())
    with pytest.raises(InvalidProofError, match="revoked on"):
        verify_certificate(data, roots, path.read_bytes(), at=NOW)


def test_a_list_is_signed_anew_only_when_half_of_its_day_is_gone(publish: Publish, path: Path, view: View) -> None:
    first, written = publish(), path.read_bytes()
    assert publish(0.49) == first
    assert (path.read_bytes(), len(view.log_entries())) == (written, 1)
    assert publish(0.51).number == 2
    assert publish(0).number == 3, "a clock set back: the list of tomorrow says nothing about today"


@pytest.mark.one_in(2)
@pytest.mark.parametrize("harm", ["lost", "damaged", "older", "of others"])
def test_what_is_revoked_outlives_the_public_file(
    trust: TrustFolder, view: View, publish: Publish, path: Path, tmp_path: Path, harm: str
) -> None:
    publish()
    older = path.read_bytes()
    revoke(trust, view, path, trust.state.signing_key, "any serial", NOW)
    if harm == "lost":
        path.unlink()
    elif harm == "of others":
        other = create_trust(tmp_path / "other", "base-two", NOW)
        elsewhere = init_home(tmp_path / "elsewhere").open_store()
        publish_revocations(other, elsewhere.as_actor(view.actor), path, NOW)
        elsewhere.close()
    else:
        path.write_bytes(older if harm == "older" else older[:-20])
    publish()
    found = read_revocations(path.read_bytes(), trust.roots())
    assert (found.number, found.revoked[0].reason) == (3, "any serial")
    assert verify_store(view.store).size


def test_a_list_beyond_a_restored_store_is_taken_over(
    trust: TrustFolder, view: View, path: Path, tmp_path: Path
) -> None:
    """A backup knows nothing of what was revoked after it; the signed file that lies there does."""
    for serial in (trust.state.signing_key, trust.state.roots[0].key.key_id):
        revoke(trust, view, path, serial, "gone", NOW)
    restored = init_home(tmp_path / "restored").open_store()
    found = publish_revocations(trust, restored.as_actor(view.actor), path, NOW)
    restored.close()
    assert (found.number, len(found.revoked)) == (3, 2)


def test_a_clock_outside_the_keys_time_leaves_the_list_alone(publish: Publish, path: Path, view: View) -> None:
    publish()
    written = path.read_bytes()
    for days in (-1, 5000):
        with pytest.raises(RefusedError, match="the signing key is valid from 2026-11-25"):
            publish(days)
    assert (path.read_bytes(), len(view.log_entries())) == (written, 1)
    assert publish(0.4).number == 1


@pytest.mark.parametrize("compromised", [False, True])
def test_a_new_signing_key_signs_a_new_list(trust: TrustFolder, view: View, path: Path, compromised: bool) -> None:
    revoke(trust, view, path, trust.state.signing_key, "any serial", NOW)
    rotated = rotate_signing_key(trust, NOW + timedelta(hours=1), compromised=compromised)
    publish_revocations(rotated, view, path, NOW + timedelta(hours=1))
    assert Envelope.model_validate_json(path.read_bytes()).signatures[0].keyid == rotated.state.signing_key
    assert len(read_revocations(path.read_bytes(), rotated.roots()).revoked) == 1


def test_a_process_at_work_signs_with_the_keys_that_another_put_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PILOTBASE_HOME", str(tmp_path / "home"))
    at_work = open_base(create=True)
    before = at_work.trust.state.signing_key
    for number, replace in enumerate((lambda base: rotate_key(base, root=False), revoke_key), start=1):
        replace(open_base())
        revoke(
            at_work.trust, at_work.lab.view, at_work.revocations, f"sha256:{number:064}", "", at_work.lab.store.clock()
        )
        listed = read_revocations(at_work.revocations.read_bytes(), at_work.trust.roots())
        assert len(listed.revoked) == number
    assert at_work.trust.state.signing_key != before


def test_a_reason_is_a_sentence(trust: TrustFolder, view: View, path: Path) -> None:
    with pytest.raises(InputError, match="501 characters"):
        revoke(trust, view, path, trust.state.signing_key, "x" * 501, NOW)


def test_list_of_another_base_tells_nothing(
    shared_trust: TrustFolder, view: View, sign: Sign, path: Path, tmp_path: Path
) -> None:
    other = create_trust(tmp_path / "other", "base-two", NOW)
    data = sign(shared_trust)
    serial = verify_certificate(data, shared_trust.roots(), at=NOW).certificate.serial
    revoke(other, view, path, serial, "not ours to revoke", NOW)
    both = shared_trust.roots().model_copy(update={"roots": (*shared_trust.roots().roots, *other.roots().roots)})
    with pytest.raises(UnknownProofError, match="issued by base-two"):
        verify_certificate(data, both, path.read_bytes(), strict=True, at=NOW)


def test_changed_list_is_refused(trust: TrustFolder, sign: Sign, publish: Publish, path: Path) -> None:
    publish()
    changed = path.read_bytes().replace(b'"payload":"ey', b'"payload":"eY')
    with pytest.raises(InvalidProofError, match="the list of revocations"):
        verify_certificate(sign(trust), trust.roots(), changed, at=NOW)
