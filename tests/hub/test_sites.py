"""Site trials on a hub: enrolled by its key, packed after the supplier's yes, examined and certified by the worker."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from pilotbase.catalogue.records import record_of
from pilotbase.documents.site import Release
from pilotbase.worker.base import open_base
from pilotbase.worker.intake.kept_files import take_application
from pilotbase.worker.reactions.noticing import Noticing, Ways
from pilotbase.worker.sites.enrolling import look_at_enrolment
from pilotbase.worker.sites.orders import packs_of
from pilotbase.worker.sites.running import SiteOrder, run_pack
from pilotbase.worker.sites.unpacking import offer_scenarios
from pilotbase.workspace.actors import actor
from tests.catalogue.records_for_tests import APPLICATION, OWNER, SCENARIO, SUPPLIER
from tests.hub.closed_for_tests import work
from tests.trial.conftest import GOOD, writing_application, writing_scenario
from tests.worker.sites.homes_for_tests import WITNESS

ORDER = {"scenario": "small-alarm", "application": "application:acme/alarm", "days": 7}


class Table:
    """A hub, the machine of the plant, and the files that change hands between them."""

    def __init__(self, world, place):
        from pilotbase.hub.base import base

        self.world, self.place, self.base = world, place, base()
        self.scenario = writing_scenario(place)(rows=700, cases=100)
        with pytest.MonkeyPatch.context() as patched:
            patched.setenv("PILOTBASE_HOME", str(place / "site"))
            self.site = open_base(create=True, name="plant-site")
        self.enrolment = place / "site-enrolment.json"
        self.enrolment.write_bytes(offer_scenarios(self.site, (self.scenario,), Release()))
        self.key = look_at_enrolment(self.enrolment).roots.roots[-1].key.key_id
        take_application(self.base, self.view(SUPPLIER), writing_application(place)(GOOD))

    def view(self, who):
        return self.base.lab.store.as_actor(who)

    def post(self, who, address, body=None):
        return self.world.client(who).post(address, body or {}, content_type="application/json")

    def get(self, who, address, language="en"):
        return self.world.client(who).get(address, headers={"Accept-Language": language})

    def enrol(self, who="desk", key=None):
        body = {"enrolment": json.loads(self.enrolment.read_bytes()), "key": key or self.key}
        return self.post(who, "/api/sites", body)


@pytest.fixture(scope="module")
def table(one_world, tmp_path_factory):
    made = Table(one_world, tmp_path_factory.mktemp("table"))
    yield made
    made.site.lab.close()


def test_a_site_is_enrolled_by_the_key_that_its_owner_names_and_by_nobody_else(table):
    assert table.enrol(key="0" * 20).status_code == 403
    assert table.enrol("other-owner").status_code == 403
    assert table.get("owner", "/api/sites/plant-site").status_code == 404
    assert table.enrol().status_code == 201
    for who, status in (("owner", 200), ("regulator", 200), ("other-owner", 404), ("supplier", 404)):
        assert table.get(who, "/sites/plant-site/").status_code == status, who
    page = table.get("owner", "/sites/plant-site/").content.decode()
    assert table.key in page and "small-alarm" in page and "cannot be watched" in page
    assert "现场密钥" in table.get("owner", "/sites/plant-site/", "zh").content.decode()


@pytest.fixture(scope="module")
def enrolled(table):
    """Whichever of these tests run here, and not elsewhere."""
    if table.get("owner", "/api/sites/plant-site").status_code == 404:
        assert table.enrol().status_code == 201


@pytest.mark.usefixtures("enrolled")
def test_nothing_is_packed_before_the_supplier_agrees(table):
    assert table.post("supplier", "/api/sites/plant-site/packs", ORDER).status_code == 404
    assert table.post("desk", "/api/sites/plant-site/packs", {**ORDER, "scenario": "other"}).status_code == 422
    asked = table.post("desk", "/api/sites/plant-site/packs", ORDER).json()
    assert asked["state"] == "asked" and work() == []
    assert table.post("desk", "/api/sites/plant-site/packs", ORDER).json()["identity"] == asked["identity"]
    place = f"/api/site-packs/{asked['identity']}"
    for who, status in (("desk", 403), ("owner", 403), ("other-supplier", 404)):
        assert table.post(who, f"{place}/agree").status_code == status, who
    agrees = f'action="/sites/packs/{asked["identity"]}/agree/"'
    for who in ("supplier", "desk", "owner", "other-supplier"):
        assert (agrees in table.get(who, "/sites/").content.decode()) is (who == "supplier"), who
    assert work() == []
    told_of(table, "supplier")
    for who in ("desk", "owner", "other-supplier"):
        assert "asks you to agree" not in table.get(who, "/work/").content.decode(), who


def told_of(table, who):
    """The one who is asked finds it in the *Inbox* and among the notices, and nobody else is told."""
    asks = "asks you to agree to send your application to site plant-site"
    assert asks in table.get(who, "/work/").content.decode()
    assert "请您同意将贵方应用送往现场 plant-site" in table.get(who, "/work/", "zh").content.decode()
    told = notices_of(table, who)
    assert [asks in one["said"] for one in told] == [True]
    for other in ("owner", "other-supplier"):
        assert notices_of(table, other) == [], other
    assert table.get(who, f"/notices/{told[0]['identity']}/")["Location"] == "/sites/"


def notices_of(table, who):
    from pilotbase.hub.base import base

    noticing = Noticing(base(), Ways())
    while noticing.tell_changes():
        pass
    return [one for one in table.get(who, "/api/notices").json()["items"] if one["kind"] == "asked"]


@pytest.fixture(scope="module")
def packed(table, enrolled):
    order = table.post("desk", "/api/sites/plant-site/packs", ORDER).json()
    page = table.world.client("supplier")
    assert page.post(f"/sites/packs/{order['identity']}/agree/").status_code == 302
    assert work() == [("site_pack", "done")]
    assert f"/sites/packs/{order['identity']}/agree/" not in page.get("/sites/").content.decode(), "it waits no more"
    return order["identity"]


def test_a_pack_is_fetched_by_the_sites_owner_and_not_by_the_supplier(table, packed):
    for who, status in (("owner", 200), ("desk", 200), ("supplier", 404), ("other-owner", 404), ("regulator", 403)):
        assert table.get(who, f"/api/site-packs/{packed}/file").status_code == status, who
    assert table.get("supplier", f"/api/site-packs/{packed}").json()["file"] is None
    fetched = [one for one in table.base.lab.view.log_entries(limit=10_000) if one.action == "site.pack_fetched"]
    assert len(fetched) == 2


@pytest.fixture(scope="module")
def report(table, packed):
    pack = table.place / "trial.pack"
    pack.write_bytes(table.get("owner", f"/api/site-packs/{packed}/file").getvalue())
    out = table.place / "report.json"
    run_pack(table.site, SiteOrder(pack, table.scenario, table.base.trust_roots, WITNESS, out))
    return out.read_bytes()


def test_an_altered_report_is_refused_by_its_place_and_certifies_nothing(table, report):
    altered = json.loads(report)
    altered["signatures"][0]["sig"] = altered["chain"][0]["signatures"][0]["sig"]
    assert table.post("other-owner", "/api/site-reports", {"report": altered}).status_code == 404
    assert table.post("owner", "/api/site-reports", {"report": {"payload": "x"}}).status_code == 422
    assert table.post("owner", "/api/site-reports", {"report": altered}).status_code == 202
    assert work() == [("site_report", "failed")]
    told = table.get("owner", "/api/sites/plant-site").json()
    assert told["reports"] == [] and "sign" in told["sent"][0]["reason"] and "/tmp" not in told["sent"][0]["reason"]


def test_a_report_that_holds_is_certified_and_says_where_it_ran_and_who_watched(table, report):
    sent = {"does": "report", "file": SimpleUploadedFile("report.json", report)}
    assert table.world.client("owner").post("/sites/plant-site/", sent).status_code == 302
    assert work() == [("site_report", "done")]
    (came,) = table.get("owner", "/api/sites/plant-site").json()["reports"]
    assert (came["witness"], came["verdict"], came["unreported"]) == ("Li Wei", "accept", [])
    serial = came["certificate"].removeprefix("sha256:")
    shown = table.get(None, f"/certificates/{serial}/").content.decode()
    assert "plant-site" in shown and "Li Wei" in shown
    page = table.get("owner", "/sites/plant-site/").content.decode()
    assert "Li Wei" in page and serial[:12] in page
    assert table.post("owner", "/api/site-reports", {"report": json.loads(report)}).json()["state"] == "done"


@pytest.mark.usefixtures("enrolled")
def test_the_sites_owner_asks_for_an_application_that_a_trial_shows_it_and_sees_no_more_of_it(table):
    owner, version = table.world.client("owner", headers={"Accept-Language": "en"}), table.world.trial.version
    asks = {"does": "pack", "scenario": "small-alarm", "application": APPLICATION, "days": 7}
    hidden = owner.post("/sites/plant-site/", asks)
    assert hidden.status_code == 200 and APPLICATION not in hidden.content.decode().partition("<select")[2]
    refused = table.post("owner", "/api/sites/plant-site/packs", {**ORDER, "application": APPLICATION})
    assert refused.status_code == 404 and "Random forest" not in refused.content.decode()
    assert table.post("owner", "/api/sites/plant-site/packs", {**ORDER, "application": SCENARIO}).status_code == 404
    table.world.trial.propose()
    assert f'<option value="{APPLICATION}">Random forest' in owner.get("/sites/plant-site/").content.decode()
    assert owner.post("/sites/plant-site/", asks).status_code == 302
    (order,) = [one for one in table.get("owner", "/api/site-packs").json() if one["application"] == APPLICATION]
    assert (order["state"], order["asked_by"], order["supplier"]) == ("asked", "plant", "acme")
    stands = [one.asked for one in packs_of(table.view(SUPPLIER)) if one.asked.identity == order["identity"]]
    assert [one.version for one in stands] == [version.digest()]
    assert record_of(table.view(OWNER), APPLICATION) is None
    assert work() == [], "the supplier agrees first"
    assert table.post("owner", f"/api/site-packs/{order['identity']}/agree").status_code == 403


def test_a_revoked_site_says_so_and_nothing_of_it_is_taken_or_given(table, packed, report):
    assert table.post("other-owner", "/api/sites/plant-site/revoke", {"reason": "x"}).status_code == 404
    assert table.post("regulator", "/api/sites/plant-site/revoke", {"reason": "x"}).status_code == 403
    sent = {"does": "revoke", "reason": "The machine was stolen."}
    assert table.world.client("owner").post("/sites/plant-site/", sent).status_code == 302
    page = table.get("owner", "/sites/plant-site/").content.decode()
    assert "The machine was stolen." in page and f"/api/site-packs/{packed}/file" not in page
    assert table.get("owner", f"/api/site-packs/{packed}/file").status_code == 403
    assert table.post("owner", "/api/site-reports", {"report": json.loads(report)}).status_code == 403
    assert table.post("desk", "/api/sites/plant-site/packs", ORDER).status_code == 403
    assert table.enrol().status_code == 403
    assert table.view(actor("plant")).head("site:plant-site") is not None
