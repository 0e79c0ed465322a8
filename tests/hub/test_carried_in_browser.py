"""A supplier brings a later version on the certificate of the earlier one: form, worker, certificate, in a browser."""

import pytest

from pilotbase.certificate.status import IssuedCertificate
from pilotbase.documents.permissions import Act
from pilotbase.worker.intake.kept_files import take_application, take_scenario
from tests.catalogue.records_for_tests import DESK, OWNER, SUPPLIER
from tests.hub.accessibility_for_tests import examine
from tests.hub.live_for_tests import listening
from tests.hub.test_browser import CHROMIUM, Visit, browser
from tests.trial.conftest import GOOD, writing_application, writing_scenario
from tests.trial.test_carried import with_margin
from tests.worker.commissions_for_tests import APPLICATION, SCENARIO, Ordered

__all__ = ["browser"]
pytestmark = [
    pytest.mark.prove,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: the hub was not opened"),
]


@pytest.fixture(scope="module")
def ordered(one_world, tmp_path_factory):
    """One certified version, and a later one."""
    from pilotbase.hub.base import base

    place, ordered = tmp_path_factory.mktemp("carried"), Ordered(base())
    change = lambda content: with_margin(content) + "  approvals: [{kind: ethics}]\n"  # noqa: E731
    ordered.open(writing_scenario(place)(rows=900, cases=80, change=change), writing_application(place)())
    ordered.propose()
    finish(ordered)
    other = writing_scenario(place)(change=lambda content: content.replace("small-alarm", "other-alarm"), name="other")
    take_scenario(ordered.base, ordered.view(OWNER), other)
    for acting, act in ((OWNER, Act.SCENARIO_SUBMIT), (DESK, Act.SCENARIO_OPEN)):
        ordered.do(acting, act, subject="scenario:plant/other-alarm")
    later = writing_application(place)(f"{GOOD}# later\n", name="later")
    manifest = (later / "application.yaml").read_text()
    (later / "application.yaml").write_text(manifest.replace("later", "alarm").replace("1.0.0", "2.0.0"))
    take_application(ordered.base, ordered.view(SUPPLIER), later, SCENARIO)
    ordered.do(SUPPLIER, Act.APPLICATION_SUBMIT, subject=APPLICATION)
    return ordered


@pytest.fixture(scope="module")
def address(one_world, ordered):
    with listening(one_world) as address:
        yield address


def finish(ordered):
    ordered.approve()
    ordered.freeze()
    ordered.do_queued()
    ordered.accept()
    ordered.work()


def test_a_later_version_is_brought_on_an_earlier_certificate(browser, address, ordered):
    visit = Visit(browser, address, "supplier", "en")
    page = visit.go("/trials/new/?scenario=plant/other-alarm&application=acme/alarm").page
    for name, value in {"scope": "The next version.", "amount": "50", "deadline": "2099-01-31"}.items():
        page.fill(f"[name={name}]", value)
    page.select_option("[name=carries]", label="alarm 1.0.0 · small-alarm")
    page.click("main form button")
    assert "about another scenario or application" in page.inner_text("main form")
    page.select_option("[name=scenario]", "scenario:plant/small-alarm")
    page.click("main form button")
    name = page.url.rstrip("/").rpartition("/")[2]
    visit.close()
    ordered.commission = f"commission:{name}"
    ordered.do(OWNER, Act.COMMISSION_AGREE)
    finish(ordered)
    certificate = ordered.view(SUPPLIER).load(ordered.record().documents["certificate"], IssuedCertificate).certificate
    shown = {
        f"/trials/{name}/": {"en": "accuracy >= 0.55", "zh": "accuracy >= 0.55"},
        f"/certificates/{certificate.serial.removeprefix('sha256:')}/": {
            "en": "Of 100 cases, it gets at least 55 right.",
            "zh": "每 100 个案例，答对 至少 55 个。",
        },
    }
    for language in ("en", "zh"):
        visit = Visit(browser, address, "supplier", language, script=True)  # axe waits for frames
        for path, said in shown.items():
            page = visit.go(path).page
            assert not examine(page)
            assert said[language] in page.inner_text("main")
        visit.close()
