"""A hospital tries an assistant that writes letters: experts judge its answers on the hub, and the verdict follows."""

import re
from base64 import b64decode

import numpy as np
import pytest

from pilotbase.documents.report import Report
from pilotbase.documents.vocabularies import Verdict
from pilotbase.protocols.array_cells import cell_of
from pilotbase.workspace.checks.reconciliation import verify_store
from tests.hub.test_labelling import get, label_all, post, sheet
from tests.hub.worlds_for_tests import _person
from tests.trial.conftest import writing_application
from tests.trial.test_expert_panel import WRITER, write_hospital
from tests.worker.commissions_for_tests import Ordered

PANEL = "/api/trials/c1/panel"
PAGE = "/trials/c1/panel/"
SCAN = cell_of(np.arange(48, dtype=np.uint8).reshape(4, 4, 3))
EXPERTS = {
    "annotators": [{"organisation": "plant", "person": f"p-{name}"} for name in ("ann", "ben")],
    "adjudicator": {"organisation": "plant", "person": "p-judge"},
}


@pytest.fixture(scope="module")
def world(one_world, tmp_path_factory):
    """A world in which a trial's answers are committed."""
    from pilotbase.hub.base import base

    for name in ("ann", "ben", "judge", "chief"):
        one_world.people[name] = _person(name, "plant", "demand_owner")
    place, ordered = tmp_path_factory.mktemp("hospital"), Ordered(base())
    folder = write_hospital(place, scan=SCAN)
    scenario = (folder / "scenario.yaml").read_text().replace("discharge-letters", "small-alarm")
    scenario = scenario.replace("organisation: hospital", "organisation: plant")
    (folder / "scenario.yaml").write_text(scenario + "  approvals: [{kind: ethics}]\n")
    ordered.open(folder, writing_application(place)(WRITER))
    ordered.propose()
    ordered.approve()
    ordered.freeze()
    assert post(one_world, "chief", PANEL, EXPERTS).status_code == 404, "nothing to judge yet"
    ordered.do_queued()
    one_world.ordered = ordered
    return one_world


def work_page(world):
    return get(world, "chief", "/work/").content.decode()


def stage(world):
    return get(world, "chief", world.place).json()["stage"]


@pytest.mark.prove
def test_a_hospital_gets_its_verdict_from_experts_on_the_hub(world):
    ordered = world.ordered
    assert ordered.record().state == "judging"
    assert ordered.work() == [], "it waits"
    assert 'href="/trials/c1/panel/"' in get(world, "chief", "/trials/c1/").content.decode()
    assert 'href="/trials/c1/panel/"' not in get(world, "supplier", "/trials/c1/").content.decode()
    assert get(world, "supplier", PAGE).status_code == 404
    assert 'href="/trials/c1/panel/">The trial c1 waits for its experts' in work_page(world)
    assert "指定专家" in get(world, "chief", PAGE, "zh").content.decode()
    assert post(world, "supplier", PANEL, EXPERTS).status_code in (403, 404)
    for organisation in ("acme", "plant"):  # who acts for the supplier, whatever else they act for
        conflict = {**EXPERTS, "adjudicator": {"organisation": organisation, "person": "p-supplier"}}
        assert post(world, "chief", PANEL, conflict).json()["code"] == "labelling.conflict"
    asked = {"first": "p-ann", "second": "p-ben", "judge": "p-judge"}
    opened = world.client("chief").post(PAGE, asked)
    assert opened.status_code == 302, opened.content.decode()
    world.place = place = "/api" + opened["Location"].rstrip("/")
    again = post(world, "chief", PANEL, EXPERTS)
    assert again["Location"] == place, "a trial has one round"
    assert ordered.work() == [("label_items", "done")]
    assert "waits for its experts" not in work_page(world)
    assert get(world, "chief", PAGE)["Location"] == place.removeprefix("/api") + "/"

    seen = sheet(world, "ann", place)
    assert seen["guideline"] == "Good: nothing is made up."
    assert set(seen["item"]["fields"]) == {"findings", "scan", "answer 回答"}
    assert get(world, "supplier", f"{place}/sheet").status_code == 404
    page = get(world, "ann", place.removeprefix("/api") + "/").content.decode()
    assert not any(word in page for word in ("acme", "alarm/1", "cases.csv"))
    chinese = get(world, "ann", place.removeprefix("/api") + "/", "zh").content.decode()
    assert re.findall(r'name="label" value="(\w+)"[^>]*>(\w+)', chinese) == [("good", "好"), ("poor", "差")]
    shown = re.findall(r'<img class="judged" src="data:image/png;base64,([^"]+)" alt="scan">', page)
    assert [b64decode(one)[:8] for one in shown] == [b"\x89PNG\r\n\x1a\n"], "the pixels, encoded by the base"
    assert not re.search(r'<img class="judged"[^>]*alt="(findings|answer)', page), "a text that looks like one is text"
    assert post(world, "chief", f"{place}/close").json()["code"] == "labelling.not_all_judged"
    label_all(world, "ann", place, lambda item: "good")
    label_all(world, "ben", place, lambda item: "poor" if item["item"].endswith("3") else "good")
    assert "waits for its experts" in work_page(world), "the round can be closed"
    assert post(world, "chief", f"{place}/close").status_code == 200
    done = ordered.work()
    assert done in ([("label_close", "done")], []), "the two differ, or do not"
    label_all(world, "judge", place, lambda item: "good")
    assert stage(world) == "decided"
    assert "Hand over the verdicts" in get(world, "chief", place.removeprefix("/api") + "/").content.decode()
    assert post(world, "chief", f"{place}/publish").status_code == 200
    assert ordered.record().state == "queued"
    assert ordered.work() == [("trial", "done")]
    report = ordered.base.lab.view.load(ordered.record().documents["report"], Report)
    assert report.verdict is Verdict.ACCEPT
    assert report.criteria[0].rule == "judged(by=panel) >= 0.8"
    ordered.accept()
    ordered.work()
    assert ordered.record().state == "certified"
    assert "experts" in get(world, "chief", "/trials/c1/report/").content.decode().lower()
    verify_store(ordered.base.lab.store)
