"""A base has one clock: when that of its store moves on, every page, the API and the services move with it."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest

from pilotbase.documents.errors import RefusedError
from pilotbase.operations.services import NewKey
from pilotbase.service.calls import Cost
from pilotbase.service.desk import CallDispatcher
from pilotbase.service.registry import write_key
from tests.hub.services_for_tests import serve


@pytest.fixture
def set_clock(one_world) -> Iterator[Callable[[datetime], None]]:
    """Let the store of the base that this process serves have another time until the end of a test."""
    from pilotbase.hub.base import base

    store = base().lab.store
    before = store.clock
    yield lambda moment: object.__setattr__(store, "clock", lambda: moment)
    object.__setattr__(store, "clock", before)


def test_page_api_and_service_agree_on_when_a_certificate_has_expired(one_world, set_clock, tmp_path):
    from pilotbase.hub.base import base

    one_world.trial.reach("certified")
    serve(one_world)
    stated = one_world.trial.certificate.certificate
    with base().lab.view.transaction("test.key_made") as change:
        secret = write_key(change, "plant", NewKey(service="milling", title="line 3", days=700))[1]

    def told() -> dict[str, bool]:
        """Say for each place whether it takes the certificate for one that is in force."""
        visitor, serial = one_world.client(), stated.report.partition(":")[2]
        owner, way = one_world.client("owner"), f"/certificates/{serial}/service/"
        asked = {"name": "press", "commission": "commission:c1"}
        refused = owner.post("/api/services", asked, content_type="application/json").json()["code"]
        return {
            "portal": "forest 1.0.0" in visitor.get("/").content.decode(),
            "list": "status pass" in visitor.get("/certified/").content.decode(),
            "figures": visitor.get("/api/figures").json()["certificates"]["valid"] == 1,
            "certificate": visitor.get(f"/api/certificates/{serial}").json()["holds"],
            "trials": "status pass" in owner.get("/trials/").content.decode(),
            "certified trials": "/trials/c1/" in owner.get("/trials/?state=certified").content.decode(),
            "trials not expired": "/trials/c1/" not in owner.get("/trials/?state=expired").content.decode(),
            "trials of the API": owner.get("/api/trials").json()["items"][0]["state"] == "certified",
            "trial": "status pass" in owner.get("/trials/c1/").content.decode().partition("</h1>")[2][:300],
            "search": "status pass" in owner.get("/find/?q=c1&part=1").content.decode(),
            "count": "/trials/c1/" in one_world.client("desk").get("/overview/records/in_force/").content.decode(),
            "trial's way into service": way in owner.get("/trials/c1/").content.decode(),
            "certificate's way into service": way in owner.get(f"/certificates/{serial}/").content.decode(),
            "way into service": refused != "service.certificate_out_of_time",
            "call": called(),
        }

    def called() -> bool:
        desk = CallDispatcher.open(base().lab.view, tmp_path / "journals")
        try:
            return desk.admit(secret, "milling", Cost()).route is not None
        except RefusedError:
            return False
        finally:
            desk.close()

    set_clock(stated.expires_at - timedelta(minutes=1))
    assert [place for place, holds in told().items() if not holds] == []
    set_clock(stated.expires_at + timedelta(minutes=1))
    assert [place for place, holds in told().items() if holds] == []
