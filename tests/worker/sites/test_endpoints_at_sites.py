"""An endpoint tried at a site: it is asked from there, and what the endpoint chooses leaves the site in two digits."""

from pilotbase.documents.vocabularies import Verdict
from pilotbase.sandbox.endpoints.operator import ALLOW
from tests.sandbox.endpoints.stubs_for_tests import Stub, serving, tabular
from tests.trial.endpoints_for_tests import alarm, may_leave, writing_endpoint
from tests.worker.sites.homes_for_tests import two_homes


def test_an_endpoint_is_asked_from_the_site(tmp_path, monkeypatch):
    monkeypatch.setenv(ALLOW, "127.0.0.1")
    with two_homes(tmp_path, change=may_leave) as homes, serving(Stub(tabular(alarm, "BYTES"))) as stub:
        homes.enrol()
        packed = homes.pack(writing_endpoint(tmp_path)(stub.endpoint(version="7")))
        ran = homes.run(packed.file)
        assert ran.report.endpoint.served == ("alarm 7",)
        taken = homes.take_back(ran.file)
        certificate = taken.issued.certificate
    assert certificate.verdict is Verdict.ACCEPT and certificate.endpoint.url == stub.url
    assert certificate.expires_at.isoformat() < "2100"
