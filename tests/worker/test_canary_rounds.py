"""A certificate of an endpoint lapses when what answers there has changed, and not by the noise of its sampling."""

import json
from collections import Counter

import pytest

from pilotbase.certificate.status import CertificateStatus, revocations_of, standing_of
from pilotbase.documents.certificate import CANARIES, spoken_reason
from pilotbase.documents.errors import InputError, InvalidProofError, PilotbaseError
from pilotbase.documents.moments import day_end
from pilotbase.sandbox.endpoints.operator import ALLOW
from pilotbase.worker.trials.canary_rounds import canary_round, check_canaries
from pilotbase.worker.trials.certificates import check_certificate
from pilotbase.worker.trials.proving import prove
from tests.sandbox.endpoints.stubs_for_tests import Stub, serving, tabular
from tests.trial.endpoints_for_tests import alarm, may_leave, writing_endpoint


@pytest.fixture
def stub(monkeypatch):
    monkeypatch.setenv(ALLOW, "127.0.0.1")
    with serving(Stub(tabular(alarm, "BYTES"))) as served:
        yield served


@pytest.fixture
def write_endpoint(tmp_path):
    return writing_endpoint(tmp_path)


@pytest.fixture
def proven(base, write_scenario, write_endpoint, stub):
    scenario = write_scenario(rows=400, cases=60, change=may_leave)
    return prove(base, scenario, write_endpoint(stub.endpoint(version="7")))


def status(base, proven):
    return standing_of(proven.certificate, revocations_of(base.lab.view), base.lab.store.clock())


def test_a_certificate_says_that_no_digest_was_seen_and_ends_with_the_period(base, proven, stub):
    certificate = proven.certificate
    assert certificate.endpoint.url == stub.url and certificate.endpoint.version == "7"
    assert certificate.endpoint.canaries == proven.report.endpoint.canaries.digest
    assert "adaptation: model_digest" in certificate.not_measured
    assert certificate.expires_at <= day_end(certificate.endpoint.period.until)
    checked = check_certificate(
        proven.folder / "certificate.json", base.lab.home.path / "trust-roots.json", None, None, False
    )
    for language, words in (("en", "The digest of the model is unknown"), ("zh", "未见模型的任何摘要")):
        assert any(words in line.render(language) and stub.url in line.render(language) for line in checked.lines)
    page = (proven.folder / "report.html").read_text()
    assert page.count(stub.url) >= 2 and "its digest is unknown" in page and "所有案例均已发送至该处" in page


def test_a_certificate_ends_no_later_than_the_supplier_keeps_the_model(
    base,
    write_scenario,
    write_endpoint,
    stub,
):
    today = base.lab.store.clock().date().isoformat()
    endpoint = stub.endpoint(period={"since": "2020-01-01", "until": today})
    proven = prove(base, write_scenario(rows=400, cases=60, change=may_leave), write_endpoint(endpoint))
    assert proven.certificate.expires_at == day_end(today)


def test_the_same_answers_keep_it_and_other_answers_suspend_it(base, proven, stub):
    file = proven.folder / "certificate.json"
    assert "0" in check_canaries(base, file).render("en")
    assert canary_round(base) == 0
    stub.answer = tabular(
        lambda **row: "fine" if alarm(**row) == "broken" else "broken", "BYTES"
    )  # each canary differs
    with pytest.raises(InvalidProofError) as changed:
        check_canaries(base, file)
    assert changed.value.code == "certificate.canaries_changed" and changed.value.render("zh")
    standing = status(base, proven)
    assert (standing.status, standing.entry.reason) == (CertificateStatus.SUSPENDED, CANARIES)
    assert "金丝雀" in spoken_reason(standing.entry.reason).render("zh")
    assert canary_round(base) == 0  # it is suspended already, and not asked again


def test_the_daily_round_suspends_it(base, proven, stub):
    stub.answer = tabular(lambda **_: "fine", "BYTES")
    assert canary_round(base) == 1
    assert status(base, proven).status is CertificateStatus.SUSPENDED


def test_a_model_that_wavers_is_allowed_to(base, write_scenario, write_endpoint, stub):
    """Asked for the third time, it errs on half of all cases: the canaries of chance hold some of both halves."""
    asked = Counter()

    def wavering(pressure, **_):
        asked[pressure] += 1
        errs = int(pressure * 1000) % 2 and asked[pressure] % 3 == 0
        return alarm(pressure) if not errs else "fine" if alarm(pressure) == "broken" else "broken"

    stub.answer = tabular(wavering, "BYTES")
    scenario = write_scenario(rows=400, cases=60, change=may_leave)
    proven = prove(base, scenario, write_endpoint(stub.endpoint()))
    known = proven.report.endpoint.canaries.answers
    assert any(len(one) > 1 for one in known) and any(len(one) == 1 for one in known)
    for _ in range(5):
        check_canaries(base, proven.folder / "certificate.json")


def test_an_endpoint_that_does_not_answer_says_nothing_of_its_certificate(base, proven, stub):
    stub.fault = lambda number: "status:403"
    with pytest.raises(PilotbaseError) as away:
        check_canaries(base, proven.folder / "certificate.json")
    assert away.value.code == "certificate.canaries_unanswered"
    assert canary_round(base) == 0
    assert status(base, proven).status is CertificateStatus.VALID


def test_an_application_in_a_box_has_no_canaries(base, write_scenario, write_application):
    proven = prove(base, write_scenario(rows=400, cases=60), write_application())
    with pytest.raises(InputError) as refused:
        check_canaries(base, proven.folder / "certificate.json")
    assert refused.value.code == "certificate.no_canaries"
    assert "endpoint" not in json.loads((proven.folder / "report.json").read_text())
