"""An application spreads: its kit is stated, agreed to and admitted, and each site's result stands beside the first."""

import html
import json
from datetime import timedelta

import pytest

from pilotbase.certificate.status import IssuedCertificate
from pilotbase.documents.hashes import digest_bytes
from pilotbase.documents.service import HoldBackTerms, UnitOutcome
from pilotbase.documents.site import SiteStatement, Witness
from pilotbase.evidence.across_sites import expect_next
from pilotbase.service.calls import HoldBackDraw
from pilotbase.service.hold_back import begin_hold_back, end_hold_back, report_outcomes
from pilotbase.workspace.actors import PUBLIC
from pilotbase.workspace.journeys import note_first
from tests.catalogue.records_for_tests import MACHINE
from tests.hub.services_for_tests import serve
from tests.watch.incidents_for_tests import raise_warning, warning

PATH = "/api/replications/acme/forest"
WORDS = {"adapters", "hardware", "costs", "procedure", "training", "terms", "contact"}


@pytest.fixture(scope="module")
def certified(one_world):
    one_world.trial.reach("certified")
    return one_world


def ask(world, who, method, path=PATH, said=None, status=200):
    told = {"data": json.dumps(said or {}), "content_type": "application/json"} if method != "get" else {}
    answer = getattr(world.client(who), method)(path, **told)
    assert answer.status_code == status, answer.content
    return answer.json()


def parts(without=()):
    return {"parts": [{"name": one, "words": f"About {one}."} for one in sorted(WORDS - set(without))]}


def need(found, name):
    return next(one["met"] for one in found["requirements"] if one["name"] == name)


def try_at(world, site, verdict):
    """Keep a certificate of a trial that ran on a site's machine."""
    view = world.trial.store.as_actor(MACHINE)
    known = view.load(view.head(f"certificate:{world.trial.report.digest()}"), IssuedCertificate)
    statement = SiteStatement(
        site=site,
        owner="hospital",
        witness=Witness(name="Wu", organisation="hospital"),
        pack=digest_bytes(b"pack"),
        full_report=digest_bytes(b"full"),
        signed_by=digest_bytes(b"key"),
        signed_at=view.store.clock(),
        smallest_cell=10,
    )
    serial = digest_bytes(site.encode())
    told = {"serial": serial, "report": serial, "site": statement, "verdict": verdict}
    made = known.model_copy(update={"certificate": known.certificate.model_copy(update=told)})
    with view.transaction("certificate.issued") as change:
        change.put(made, PUBLIC)


def test_a_kit_without_a_cost_sheet_goes_nowhere_and_a_whole_one_is_for_everybody(certified):
    assert ask(certified, None, "get", status=404)["code"] == "replication.not_found"
    lacking = ask(certified, "supplier", "put", said=parts(without=("costs",)))
    assert need(lacking, "kit") is False and need(lacking, "certified") is True
    assert ask(certified, "other-supplier", "put", said=parts(), status=404)
    ask(certified, "owner", "post", f"{PATH}/agreement")
    refused = ask(certified, "desk", "post", f"{PATH}/admission", status=409)
    assert refused["code"] == "replication.incomplete" and "costs" in refused["title"]
    said = parts(without=("costs",))["parts"] + [{"name": "costs", "words": "The base pays.", "none": True}]
    assert ask(certified, "supplier", "put", said={"parts": said})["state"] == "stated", "agreed to anew"
    assert ask(certified, "desk", "post", f"{PATH}/admission", status=409)["code"] == "replication.not_agreed"
    assert ask(certified, "supplier", "post", f"{PATH}/agreement", status=403)
    assert ask(certified, "owner", "post", f"{PATH}/agreement")["state"] == "agreed"
    assert ask(certified, "supplier", "post", f"{PATH}/admission", status=403)
    assert ask(certified, "desk", "post", f"{PATH}/admission")["state"] == "admitted"
    found = ask(certified, None, "get")
    assert need(found, "kit") is True
    assert {one["name"] for one in found["kit"]["parts"] if one["digest"] is None} == {"costs"}
    page = html.unescape(certified.client().get("/replications/acme/forest/").content.decode())
    assert "None, because: The base pays." in page and "About training." in page


def test_each_site_stands_beside_the_first_also_one_that_rejects(certified):
    ask(certified, "supplier", "put", said=parts())
    assert need(ask(certified, "supplier", "get"), "second_site") is False
    try_at(certified, "north-ward", "reject")
    found = ask(certified, "supplier", "get")
    assert need(found, "second_site") is True, "a site that rejects was a site"
    assert (found["accepted"], len(found["sites"]), found["expected"]) == (1, 2, None)
    assert need(found, "served") is False and need(found, "value") is None and not found["benchmark"]
    serve(certified)
    assert need(ask(certified, "supplier", "get"), "served") is False, "in service, and not for ninety days"
    view = certified.trial.store.as_actor(MACHINE)
    with view.transaction("service.observed") as change:
        note_first(change, "commission:c1", "served", view.store.clock() - timedelta(days=100))
    found = ask(certified, "supplier", "get")
    assert need(found, "served") is True and found["benchmark"], "what is not known does not count against it"
    raise_warning(certified.trial.store, warning(certified.trial.store, service="milling"))
    assert need(ask(certified, "supplier", "get"), "served") is False


def held_back(view, saving):
    """Hold units back, and return what each has cost: ``saving`` more for those that were held back."""
    begin_hold_back(view, "press", HoldBackTerms(share=0.5, cap=100, units=4000))
    draw = HoldBackDraw(end_hold_back(view, "press").seed, 0.5)
    units = [f"machine-{number}" for number in range(4000)]
    return [UnitOutcome(unit=one, cost=saving if draw.holds(one) else 0) for one in units]


def test_a_benchmark_saves_costs_by_its_finished_hold_back(certified):
    ask(certified, "supplier", "put", said=parts())
    serve(certified, "press", ask_human=True)
    view = certified.trial.store.as_actor(MACHINE)
    for saving, shown in ((0, False), (20, True)):
        outcomes = held_back(view, saving)
        report_outcomes(view, "press", outcomes[:3000])
        assert need(ask(certified, "supplier", "get"), "value") is None, "units that were planned are not reported yet"
        report_outcomes(view, "press", outcomes[3000:])
        assert need(ask(certified, "supplier", "get"), "value") is shown
    page = certified.client("supplier").get("/replications/acme/forest/").content.decode()
    assert "shows that a service saves costs" in page


def test_the_next_site_is_expected_where_sites_vary_and_not_only_as_sure_as_their_mean():
    alike = expect_next([(0.9, 0.88, 0.92)] * 6)
    apart = expect_next([(value, value - 0.02, value + 0.02) for value in (0.78, 0.84, 0.9, 0.93, 0.97, 0.72)])
    assert alike.value == pytest.approx(0.9) and alike.upper - alike.lower < 0.03
    assert apart.lower < 0.65 and apart.upper > 1.0, "τ² of the sites, not the standard error of their mean"
