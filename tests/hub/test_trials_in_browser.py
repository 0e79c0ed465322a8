"""Trials as they go in a real browser: readable for everybody, refreshing themselves, and whole without script."""

import threading

import pytest

from pilotbase.documents.permissions import Act
from pilotbase.worker.jobs.worker import JobWorker
from pilotbase.worker.sample_bundles.files import unpack
from tests.catalogue.records_for_tests import SUPPLIER
from tests.hub.accessibility_for_tests import examine
from tests.hub.live_for_tests import listening
from tests.hub.test_browser import CHROMIUM, Visit, browser
from tests.hub.test_trials_live import SCENARIO, with_costs_and_board
from tests.trial.conftest import writing_application, writing_scenario
from tests.worker.commissions_for_tests import APPLICATION, Ordered

__all__ = ["browser"]
pytestmark = [
    pytest.mark.prove,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: the hub was not opened"),
]
PAGES = {
    "owner": (f"/scenarios/{SCENARIO}/", f"/scenarios/{SCENARIO}/board/", f"/scenarios/{SCENARIO}/comparison/",
              "/trials/c1/", "/trials/c1/bundle/", "/queue/"),
    "supplier": (f"/scenarios/{SCENARIO}/board/", "/trials/c1/", "/queue/"),
}  # fmt: skip


@pytest.fixture(scope="module")
def ordered(one_world, tmp_path_factory):
    """One trial that has its report."""
    from pilotbase.hub.base import base

    place = tmp_path_factory.mktemp("tried")
    ordered = Ordered(base())
    ordered.open(writing_scenario(place)(change=with_costs_and_board), writing_application(place)())
    ordered.propose()
    ordered.approve()
    ordered.freeze()
    ordered.do_queued()
    ordered.do(SUPPLIER, Act.APPLICATION_BOARD, subject=APPLICATION)
    ordered.work()
    return ordered


@pytest.fixture(scope="module")
def address(one_world, ordered):
    with listening(one_world) as address:
        yield address


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("zh", 390)])
def test_pages_are_for_everybody(browser, address, language, width):
    wrong = []
    for who, paths in PAGES.items():
        visit = Visit(browser, address, who, language, width, script=True)
        wrong += [(path, one) for path in paths for one in examine(visit.go(path).page)]
        assert visit.complaints == []
        visit.close()
    assert not wrong, "\n".join(map(str, wrong))


def test_the_queue_refreshes_itself(browser, address, ordered):
    visit = Visit(browser, address, "supplier", script=True)
    ordered.do(SUPPLIER, Act.APPLICATION_REHEARSE, subject=APPLICATION)
    visit.go("/queue/")
    assert visit.page.locator("#queue th[scope=row]").count() == 1
    at_work = threading.Thread(target=JobWorker(ordered.base, "w2").work_once)
    at_work.start()
    visit.page.wait_for_selector("#queue .nothing", timeout=60_000)
    at_work.join()
    assert visit.complaints == []
    visit.close()


def test_without_script_a_link_refreshes(browser, address, ordered):
    visit = Visit(browser, address, "supplier")
    ordered.do(SUPPLIER, Act.APPLICATION_REHEARSE, subject=APPLICATION)
    visit.go("/queue/")
    assert visit.page.locator("#queue th[scope=row]").count() == 1
    ordered.work()
    visit.press("main a[href='/queue/']")
    assert visit.page.locator("#queue .nothing").count() == 1
    visit.close()


def test_the_bundle_is_packed_while_the_page_waits(browser, address, ordered, tmp_path):
    visit = Visit(browser, address, "regulator", script=True)
    visit.go("/trials/c1/")
    visit.press("form[action$='/bundle/'] button")
    assert "Place 1 in the queue" in visit.page.inner_text("#rounds")
    ordered.work()
    with visit.page.expect_download() as taken:
        visit.page.click("#rounds a[download]")  # the page looks again by itself
    file = tmp_path / taken.value.suggested_filename
    taken.value.save_as(file)
    assert file.suffix == ".zip"
    assert {"report.json", "records.parquet"} <= set(unpack(file))
    visit.close()
