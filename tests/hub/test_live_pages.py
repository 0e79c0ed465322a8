"""Pages that are live: what changes on the base changes in the browser, which nobody loads again by hand."""

import threading

import pytest

from pilotbase.documents.permissions import Act
from pilotbase.operations.services import Moved, ServiceMove
from pilotbase.worker.jobs.worker import JobWorker
from pilotbase.worker.reactions.noticing import Noticing, Ways
from tests.catalogue.records_for_tests import DESK, OWNER, SUPPLIER
from tests.hub.live_for_tests import listening
from tests.hub.services_for_tests import serve
from tests.hub.test_browser import CHROMIUM, Visit, browser
from tests.trial.conftest import writing_application, writing_scenario
from tests.worker.commissions_for_tests import APPLICATION, SCENARIO, Ordered

__all__ = ["browser"]
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: the hub was not opened")
MARK = "document.body.dataset.mark = 'loaded once'"
MARKED = "document.body.dataset.mark"


@pytest.fixture(scope="module")
def ordered(one_world, tmp_path_factory):
    from pilotbase.hub.base import base

    place = tmp_path_factory.mktemp("live")
    ordered = Ordered(base())
    ordered.open(writing_scenario(place)(), writing_application(place)())
    return ordered


@pytest.fixture(scope="module")
def address(one_world, ordered):
    with listening(one_world) as address:
        yield address


@pytest.mark.prove
def test_a_rehearsal_shows_how_far_it_is_and_then_its_end(browser, address, ordered):
    visit = Visit(browser, address, "supplier", script=True)
    ordered.do(SUPPLIER, Act.APPLICATION_REHEARSE, subject=APPLICATION)
    visit.go(f"/applications/{APPLICATION.partition(':')[2]}/")
    assert "Queued" in visit.page.inner_text("#progress")
    at_work = threading.Thread(target=JobWorker(ordered.base, "w1").work_once)
    at_work.start()
    visit.page.wait_for_selector("main a[href$='/rehearsal.html']", timeout=90_000)
    at_work.join()
    assert visit.page.locator("#progress[hx-get]").count() == 0, "nothing is asked for after the end"
    assert "Queued" not in visit.page.inner_text("main .record-main")
    assert visit.complaints == []
    visit.close()


@pytest.mark.prove
def test_a_notice_appears_on_the_page_of_notices(browser, address, ordered):
    round_of = Noticing(ordered.base, Ways())
    round_of.tell_changes()
    visit = Visit(browser, address, "owner", script=True).go("/notices/")
    visit.page.evaluate(MARK)
    before = visit.page.locator("#notices tbody tr").count()
    ordered.do(DESK, Act.SCENARIO_CLOSE, subject=SCENARIO)
    round_of.tell_changes()
    visit.page.wait_for_selector("#notices tbody tr:first-child :text('clos')", timeout=40_000)
    assert visit.page.locator("#notices tbody tr").count() == before, "what is new of a record joins its row"
    assert visit.page.evaluate(MARKED) == "loaded once"
    visit.close()


@pytest.mark.prove
def test_a_service_that_is_stopped_says_so(one_world, browser, address):
    from pilotbase.hub.base import base
    from pilotbase.worker.services.acts import move_service

    one_world.trial.reach("certified")
    serve(one_world)
    visit = Visit(browser, address, "owner", script=True).go("/services/milling/")
    visit.page.evaluate(MARK)
    steps = visit.page.locator("#history li").count()
    asked = Moved(service="milling", move=ServiceMove.STOP, reason="Line 3 is rebuilt.")
    move_service(base().lab.store.as_actor(OWNER), asked)
    visit.page.wait_for_selector("#history li:has-text('Line 3 is rebuilt.')", state="attached", timeout=40_000)
    assert visit.page.locator("#history li").count() == steps + 1
    assert "Stopped" in visit.page.inner_text("#standing")
    assert visit.page.evaluate(MARKED) == "loaded once"
    visit.close()
