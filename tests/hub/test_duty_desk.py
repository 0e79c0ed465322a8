"""Duty desk and incidents in the browser and over the API: from the warning to the closing, in both languages."""

import re
from typing import get_args

import pytest

from pilotbase.documents.vocabularies import Colour, EventGrade
from pilotbase.documents.watch import Incident
from pilotbase.worker.reactions.feed import Reactions
from tests.catalogue.records_for_tests import COMMISSION
from tests.hub.steps_for_tests import Steps
from tests.watch.incidents_for_tests import keep_service, open_one, raise_warning, route, warning

BODIES = {
    "notes": {"text": "Seen at night.", "unknown": ["Cause"]},
    "grade": {"grade": "major", "response": "I"},
    "reports": {"clock": "operator_to_province"},
    "corrections": {"line": 1, "text": "Seen in the evening."},
    "mitigation": {},
    "closing": {"summary": "A worn sensor."},
}


@pytest.fixture(scope="module")
def world(one_world):
    """The plant's service after a red warning, with an earlier version to fall back to."""
    from pilotbase.hub.base import base

    trial = one_world.trial
    trial.reach("certified")
    store = trial.store
    first = route("forest").model_copy(
        update={"certificate": trial.certificate.digest(), "serial": trial.certificate.certificate.serial}
    )
    keep_service(store, routes=(first.model_copy(update={"commission": COMMISSION}),))
    keep_service(store, "sleeper", organisation="hospital", routes=(first,))
    raise_warning(store, warning(store, Colour.RED))
    while Reactions(base()).round():
        pass
    return one_world


def post(world, who, address, body, **headers):
    return world.client(who).post(f"/api/incidents/{address}", body, content_type="application/json", **headers)


def test_the_desk_shows_what_was_done_by_itself_and_only_to_whose_desk_it_is(world):
    shown = world.client("owner").get("/desk/", HTTP_ACCEPT_LANGUAGE="en").content.decode()
    assert 'class="status red">' in shown and "Red<" in shown and "Stopped" in shown
    assert "Certificate suspended" in shown and "Re-trial requested" in shown
    assert "sleeper" not in shown and "alarm" in shown
    assert "sleeper" in world.client("regulator").get("/desk/").content.decode()
    chinese = world.client("desk").get("/desk/", HTTP_ACCEPT_LANGUAGE="zh").content.decode()
    assert "值班台" in chinese and "证书已暂停" in chinese and "未监测" in chinese
    assert world.client("supplier").get("/desk/").status_code == 404
    assert 'href="/desk/"' not in world.client("supplier").get("/work/").content.decode()
    assert world.trial.record().state == "suspended"


def test_the_desk_over_the_api_says_the_same(world):
    (line,) = world.client("owner").get("/api/desk", HTTP_ACCEPT_LANGUAGE="en").json()["items"]
    assert (line["service"], line["state"], line["colour"], line["incidents"]) == ("alarm", "stopped", "red", [1])
    assert line["done"][0] == "Owner and operator notified"
    everything = world.client("desk").get("/api/desk").json()["items"]
    assert [one["service"] for one in everything] == ["alarm", "sleeper"]
    assert world.client("supplier").get("/api/desk").status_code == 404


def test_an_incident_is_handled_in_the_browser_without_a_script(world):
    store = world.trial.store
    number = open_one(store).number
    browser = world.client("desk")
    address = f"/incidents/{number}/"
    page = browser.get(address).content.decode()
    assert "Warning colour, event grade and response level" in page and "No reports are required" in page
    assert f"{address}incident.report/" not in page

    def take(act, **given):
        form = browser.get(f"{address}{act}/").content.decode()
        seen = re.search(r'name="seen" value="([^"]+)"', form)[1]
        return browser.post(f"{address}{act}/", {"seen": seen, **given})

    steps = Steps(world)
    steps.look("open", address)
    assert take("incident.note", text="The night shift saw it.", unknown="Cause\nExtent").status_code == 302
    assert take("incident.grade", grade="larger", response="II", note="").status_code == 302
    page = browser.get(address).content.decode()
    assert "Provincial cyberspace office" in page and "Desk" in page and "Extent" in page
    assert "处" in browser.get(address, HTTP_ACCEPT_LANGUAGE="zh").content.decode()
    assert take("incident.report", clock="operator_to_province", note="17").status_code == 302
    assert take("incident.correct", line="1", text="It was the late shift.").status_code == 302
    assert take("incident.mitigate", note="").status_code == 302
    assert browser.get(f"{address}incident.mitigate/").status_code == 404
    steps.look("mitigated", address)
    assert steps.seen == set(get_args(Incident.model_fields["state"].annotation)) - {"closed"}
    refused = take("incident.close", summary=" ")
    assert refused.status_code == 200 and "wrong-why" in refused.content.decode()
    assert take("incident.close", summary="A worn sensor.").status_code == 302
    page = browser.get(address).content.decode()
    assert "A worn sensor." in page and "Summary to the office first told" in page
    assert browser.get(f"{address}incident.grade/").status_code == 404
    assert f"Incident {number}" in browser.get("/incidents/").content.decode()


def test_who_was_first_is_told_to_who_comes_second(world):
    number = open_one(world.trial.store).number
    first, second = world.client("owner"), world.client("desk")
    forms = [one.get(f"/incidents/{number}/incident.grade/").content.decode() for one in (first, second)]
    seen = [re.search(r'name="seen" value="([^"]+)"', form)[1] for form in forms]
    given = {"grade": "major", "response": "II", "note": ""}
    assert first.post(f"/incidents/{number}/incident.grade/", {"seen": seen[0], **given}).status_code == 302
    late = second.post(f"/incidents/{number}/incident.grade/", {"seen": seen[1], **given})
    assert "Someone else changed" in late.content.decode()
    assert post(world, "desk", f"{number}/grade", given, HTTP_IF_MATCH=f'"{seen[1]}"').status_code == 409


def test_every_act_over_the_api(world):
    number = open_one(world.trial.store, EventGrade.LARGER).number
    for who, status in (("regulator", 403), ("supplier", 403), ("other-owner", 404), ("stranger", 403), (None, 401)):
        assert {post(world, who, f"{number}/{act}", body).status_code for act, body in BODIES.items()} == {status}, who
    for act, body in BODIES.items():
        answer = post(world, "owner", f"{number}/{act}", body)
        assert answer.status_code == 200, answer.content
        assert answer["ETag"].startswith('"sha256:')
    incident = world.client("regulator").get(f"/api/incidents/{number}").json()
    assert (incident["state"], incident["grade"], incident["response"]) == ("closed", "major", "I")
    assert {line["person"] for line in incident["timeline"]} == {"p-owner"}
    assert post(world, "owner", f"{number}/mitigation", {}).json()["code"] == "incident.wrong_state"
    assert post(world, "owner", f"{number}/reports", {"clock": "nothing"}).json()["code"] == "incident.no_clock"
    assert post(world, "owner", "999/notes", {"text": "x"}).json()["code"] == "incident.not_found"


def test_a_note_sent_again_under_its_key_stands_once(world):
    number = open_one(world.trial.store).number
    for _ in range(2):
        answer = post(world, "desk", f"{number}/notes", {"text": "Once."}, HTTP_IDEMPOTENCY_KEY="k-17")
    assert len(answer.json()["timeline"]) == 1


def test_an_act_whose_answer_was_lost_is_done_once(world):
    """The process died between the act and its answer: the act stands in the store, the key in no table."""
    from pilotbase.hub.models import GivenAnswer

    number = open_one(world.trial.store, EventGrade.LARGER).number
    for count, (act, body) in enumerate(BODIES.items(), 1):
        for _ in range(2):
            answer = post(world, "owner", f"{number}/{act}", body, HTTP_IDEMPOTENCY_KEY=f"lost {act}")
            assert (answer.status_code, len(answer.json()["timeline"])) == (200, count), act
            GivenAnswer.objects.all().delete()


def test_lists_over_the_api(world):
    closed = open_one(world.trial.store).number
    post(world, "desk", f"{closed}/closing", {"summary": "Nothing was wrong."})

    def listed(who, **asked):
        return [one["number"] for one in world.client(who).get("/api/incidents", asked).json()["items"]]

    assert listed("desk")[-1] == 1 and listed("supplier") == []
    assert closed in listed("desk") and closed not in listed("desk", closed="false")
    assert listed("desk", service="sleeper") == [] and listed("desk", limit=1) == listed("desk")[:1]


def test_the_regulator_reads_and_orders_at_the_trial(world):
    page = world.client("regulator").get("/incidents/1/").content.decode()
    main = page.partition("<main")[2].partition("</main>")[0]
    service = main.partition('href="/services/')[2].partition("/")[0]
    for leads in (f"/services/{service}/", f"/services/{service}/watch/", "/trials/c1/", "/ledger/"):
        assert f'href="{leads}"' in main, leads
    assert 'href="/certificates/' in main
    assert "/trials/c1/acts/order.give/" in page and "incident.note" not in page
    assert "/trials/c1/acts/order.give/" not in world.client("owner").get("/incidents/1/").content.decode()


def test_a_runbook_is_read_on_its_page_and_changed_over_the_api(world):
    page = world.client("regulator").get("/services/alarm/runbook/").content.decode()
    assert (
        "Fall back to an earlier version" in page and "4 h" in page and "30 days" in page and "api/services" not in page
    )
    assert "api/services/alarm/runbook" in world.client("owner").get("/services/alarm/runbook/").content.decode()
    asked = world.client("owner").get("/api/services/alarm/runbook")
    changed = {**asked.json(), "reporter": "critical_infrastructure"}

    def put(who, **headers):
        address = "/api/services/alarm/runbook"
        return world.client(who).put(address, changed, content_type="application/json", **headers).status_code

    codes = [put(who) for who in ("regulator", "supplier", "other-owner", None)]
    assert codes == [403, 403, 404, 401]
    assert put("owner", HTTP_IF_MATCH=asked["ETag"]) == 200
    assert put("desk", HTTP_IF_MATCH=asked["ETag"]) == 409
    assert "1 h" in world.client("owner").get("/services/alarm/runbook/").content.decode()


def test_notices_lead_to_the_incident(world):
    browser = world.client("owner")
    page = browser.get("/notices/", HTTP_ACCEPT_LANGUAGE="en").content.decode()
    assert "Risk warning red" in page
    notices = browser.get("/api/notices").json()["items"]
    told = next(one for one in notices if one["kind"] == "watch")
    assert "Risk warning red" in told["said"] and told["subject"] == "incident:1"
    assert browser.get(f"/notices/{told['identity']}/")["Location"] == "/incidents/1/"


def test_words_of_people_stay_words(world):
    number = open_one(world.trial.store).number
    post(world, "owner", f"{number}/notes", {"text": "<script>alert(1)</script>\u202eexe"})
    page = world.client("desk").get(f"/incidents/{number}/").content.decode()
    assert "<script>alert" not in page and "\u202e" not in page
