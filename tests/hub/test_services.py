"""Services on the hub: from the certificate into service, moved, keyed, bounded; who may do what of it."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.conf import settings
from typer.testing import CliRunner

from pilotbase.cli import app
from pilotbase.documents.permissions import Act
from pilotbase.documents.vocabularies import CallEnd
from pilotbase.service.calls import CallObservation, Cost
from pilotbase.service.desk import CallDispatcher
from pilotbase.service.draining import drain
from pilotbase.service.releases import take_outcomes
from tests.catalogue.records_for_tests import COMMISSION, DESK, MACHINE
from tests.gateway.endpoints_for_tests import Endpoint
from tests.gateway.gateways_for_tests import serving as answering
from tests.hub.live_for_tests import listening, token_of
from tests.hub.sealed_for_tests import seal_hidden, use_attempt
from tests.hub.services_for_tests import let_ask, let_release, serve
from tests.watch.incidents_for_tests import raise_warning, warning

PEOPLE = ("desk", "owner", "other-owner", "supplier", "other-supplier", "reviewer", "regulator")
WRITES = """
                                            D   O   o   P   p   R   G
POST   services                             403 403 404 403 403 403 403
POST   services/overrides                   201 403 403 403 403 403 403
POST   services/milling/moves/stop          200 200 404 403 403 403 403
POST   services/milling/moves/start         200 200 404 403 403 403 403
POST   services/milling/keys                201 201 404 403 403 403 403
DELETE services/milling/keys/0123456789abcdef 404 404 404 403 403 403 403
PUT    services/milling/budgets/main        200 200 404 403 403 403 403
PUT    services/milling/exposure            200 200 404 403 403 403 403
PUT    services/milling/terms               200 200 404 403 403 403 403
POST   services/milling/consents/00000000000000000000000000000001/decision 403 200 404 403 403 403 403
"""
"""Who may: the owner of the scenario and the operator. They are refused a new one because this base does not hold the
files of the test's trial; the others because they are others, or they do not see the trial."""
BODIES = {
    "services": {"name": "press", "commission": "commission:c1"},
    "services/overrides": {
        "service": "assistant",
        "organisation": "plant",
        "protocol": "openai",
        "url": "https://models.example/v1",
        "model": "m",
        "reason": "pilot",
    },
    "services/milling/moves/stop": {"reason": "line 3 is rebuilt"},
    "services/milling/moves/start": {"reason": "line 3 runs"},
    "services/milling/keys": {"title": "line 3"},
    "services/milling/budgets/main": {"calls": 100},
    "services/milling/exposure": {"cases": 100, "reason": "first months"},
    "services/milling/terms": {"timeout_seconds": 45, "workers": 2},
    "services/milling/consents/00000000000000000000000000000001/decision": {"granted": True},
}


@pytest.fixture(scope="module")
def serving(one_world):
    one_world.trial.reach("certified")
    serve(one_world)
    for number in (1, 2):
        ask(one_world, number)
    return one_world


def ask(world, number, tool="pay", **arguments):
    """Let an agent of the service try an act that needs consent."""
    let_ask(world.trial.store.as_actor(MACHINE), "milling", f"{number:032x}", tool, **arguments)


def send(world, who, method, path, body=None):
    data = json.dumps(body if body is not None else {})
    return getattr(world.client(who), method.lower())(f"/api/{path}", data, content_type="application/json")


def test_who_may_do_what_to_a_service(serving):
    wrong = []
    for line in WRITES.strip().splitlines()[1:]:
        method, path, *codes = line.split()
        for who, code in zip(PEOPLE, map(int, codes), strict=True):
            found = send(serving, who, method, path, BODIES.get(path))
            if found.status_code != code:
                wrong.append((method, path, who, code, found.status_code, found.content[:200]))
    assert not wrong, "\n".join(map(str, wrong))
    told = {who: send(serving, who, "POST", "services", BODIES["services"]).json()["code"] for who in PEOPLE}
    assert {who for who, code in told.items() if code == "service.application_missing"} == {"desk", "owner"}


def test_a_person_of_the_owner_decides_about_an_act_on_its_page_and_once(serving):
    ask(serving, 3, note="<b>bold</b>", amount=7)
    address = f"/services/milling/consents/{3:032x}/"
    assert [serving.client(who).get(address).status_code for who in ("supplier", "other-owner")] == [404, 404]
    assert "<form" not in serving.client("desk").get(address).content.decode().split("<main")[1]
    page = serving.client("owner").get(address).content.decode()
    assert "pay" in page and "&lt;b&gt;bold" in page and "<b>bold" not in page and "cannot be undone" in page
    assert serving.client("owner").post(address, {"granted": "false"}).status_code == 302
    again = serving.client("owner").post(address, {"granted": "true"}).content.decode()
    assert "was decided already" in again or "was decided before" in again
    (third,) = [one for one in send_get(serving, "owner", "services/milling/consents") if one["consent"] == f"{3:032x}"]
    assert (third["decided"], third["arguments"]) == ("declined", {"note": "<b>bold</b>", "amount": 7})


def send_get(world, who, path):
    return world.client(who).get(f"/api/{path}").json()


def test_a_key_that_the_hub_has_made_calls_until_the_page_stops_the_service(serving, tmp_path):
    owner = serving.client("owner")
    page = owner.post(
        "/services/milling/keys/", {"title": "line 7", "scopes": ["infer"], "calls_a_minute": "90", "days": "30"}
    )
    (secret,) = re.findall(r'class="secret">(pbk_[\w-]+)<', page.content.decode())
    assert f"export PILOTBASE_SERVICE_KEY={secret}" in page.content.decode()
    shown = owner.get("/services/milling/").content.decode()
    assert secret not in shown
    assert secret[:10] in shown and "90 calls a minute" in shown
    assert "export PILOTBASE_SERVICE_KEY=pbk_…" in shown and "model=&#x27;milling&#x27;" in shown
    view = serving.trial.store.as_actor(MACHINE)
    desk = CallDispatcher.open(view, tmp_path / "journals")
    admission = desk.admit(secret, "milling", Cost())
    seen = CallObservation(["a"], {}, ["fine"], CallEnd.ANSWERED, None, 3.0, datetime.now(UTC))
    desk.settle(admission, Cost(), seen)
    drain(view, tmp_path / "journals")
    used = owner.get("/services/milling/").content.decode()
    assert "No calls in these days" not in used and f"{datetime.now(UTC):%Y-%m-%d}" in used.partition("<svg")[2]
    found = owner.post("/services/milling/move/", {"move": "stop", "reason": "主轴更换"})
    assert found.status_code == 302
    with pytest.raises(Exception, match=r"service\.stopped|stopped"):
        desk.admit(secret, "milling", Cost())
    assert "主轴更换" in owner.get("/services/milling/").content.decode()
    assert owner.post("/services/milling/move/", {"move": "start", "reason": "done"}).status_code == 302
    desk.settle(desk.admit(secret, "milling", Cost()), Cost(), seen)
    keys = owner.get("/api/services/milling/keys").json()
    line_7 = next(one for one in keys if one["title"] == "line 7")
    assert owner.post(f"/services/milling/keys/{line_7['identity']}/revoke/").status_code == 302
    with pytest.raises(Exception, match="revoked"):
        desk.admit(secret, "milling", Cost())
    desk.close()


def test_pages_show_each_reader_what_is_theirs(serving):
    owner, supplier = serving.client("owner"), serving.client("supplier")
    owner.post("/services/milling/budgets/", {"budget": "shift", "period": "month", "calls": "500"})
    whole, half = (client.get("/services/milling/").content.decode() for client in (owner, supplier))
    assert "500" in whole
    assert "pbk_" not in half
    assert "/services/milling/move/" not in half
    assert "Mill watch" in supplier.get("/services/").content.decode()
    assert "Mill watch" not in serving.client("other-supplier").get("/services/").content.decode()
    chinese = owner.get("/services/milling/", HTTP_ACCEPT_LANGUAGE="zh-hans").content.decode()
    assert "应答版本与回退顺序" in chinese


def test_a_release_shows_its_evidence_and_is_ended_on_the_page(serving):
    let_release(serving.trial.store.as_actor(MACHINE), "milling", "onONon")
    owner, page = serving.client("owner"), "/services/milling/"
    shown = owner.get(page).content.decode()
    assert "forest 2.0.0" in shown and "Evidence of harm" in shown and "New version: Calls 3, failed 1" in shown
    beside = {"release": f"{7:032x}", "old_failed": False, "failed": True, "alike": False}
    with serving.trial.store.database.write() as connection:
        take_outcomes(connection, [beside])
    assert "1 shadow call: the same answer in 0, failed by the new version in 1" in owner.get(page).content.decode()
    assert "Evidence of harm" not in serving.client("supplier").get(page).content.decode()
    assert serving.client("supplier").post(f"{page}release/end/", {"end": "promote", "reason": "x"}).status_code == 404
    assert owner.post(f"{page}release/end/", {"end": "roll-back", "reason": "too slow"}).status_code == 302
    (found,) = owner.get("/api/services/milling/releases").json()
    assert (found["state"], found["new_failed"], found["new_calls"]) == ("rolled_back", 1, 3)
    after = owner.get(page).content.decode()
    assert "too slow" in after and f"{page}release/end/" not in after


def test_an_exposure_is_granted_on_the_page_beside_the_rules_that_were_kept(serving):
    owner, page = serving.client("owner"), "/services/milling/exposure/"
    unbounded = owner.post(
        f"{page}grant/", {"people_per_case": "1", "error_rate": "1", "currency": "CNY", "reason": "x"}
    )
    assert "needs a number of cases, people or a loss" in unbounded.content.decode()
    terms = {"loss": "10000", "error_cost": "50", "error_rate": "0.05", "people": "6000", "people_per_case": "2"}
    assert owner.post(f"{page}grant/", {**terms, "currency": "CNY", "reason": "first months"}).status_code == 302
    found = owner.get("/api/services/milling/exposure").json()
    assert (found["cases"], found["bound"]) == (3000, "people") and "milling" in found["services"]
    shown = owner.get(page).content.decode()
    assert "10,000 CNY: at most 50 CNY an error" in shown and "first months" in shown
    raise_warning(serving.trial.store, warning(serving.trial.store, service="milling"))
    rules = {one["rule"]: one for one in owner.get("/api/services/milling/diligence").json()["lines"]}
    assert {rule: one["state"] for rule, one in rules.items()} == {
        "certified": "kept",
        "attempts": "kept",
        "exposure": "kept",
        "warnings": "not_kept",
        "reactions": "not_kept",
        "reports": "not_applicable",
    }
    (raised,) = rules["warnings"]["records"]
    assert (
        owner.post(f"/api/warnings/{raised}/acknowledgement", "{}", content_type="application/json").status_code < 300
    )
    rules = {one["rule"]: one for one in owner.get("/api/services/milling/diligence").json()["lines"]}
    assert rules["warnings"]["state"] == "kept"


def test_terms_are_set_on_the_page_and_shown_to_who_sees_the_service(serving):
    owner, page = serving.client("owner"), "/services/milling/"
    terms = {
        "timeout_seconds": "90",
        "queue": "7",
        "workers": "3",
        "body_bytes": "4096",
        "idle_seconds": "600",
        "concurrency": "300",
        "ask_human": "on",
    }
    assert owner.post(f"{page}terms/", terms).status_code == 302
    found = owner.get("/api/services/milling").json()["service"]["terms"]
    assert found == {
        "timeout_seconds": 90.0,
        "first_byte_seconds": None,
        "queue": 7,
        "workers": 3,
        "body_bytes": 4096,
        "idle_seconds": 600,
        "concurrency": 300,
        "hedge": False,
        "ask_human": True,
    }
    assert 'value="90.0"' in owner.get(page).content.decode()
    assert "desk of people answers" in serving.client("supplier").get(page).content.decode()
    assert serving.client("supplier").post(f"{page}terms/", terms).status_code == 404
    wrong = owner.post(f"{page}terms/", {**terms, "workers": "65"})
    assert wrong.status_code == 200 and "wrong" in wrong.content.decode()
    without = {name: value for name, value in terms.items() if name != "ask_human"}
    assert owner.post(f"{page}terms/", without).status_code == 302
    assert owner.get("/api/services/milling").json()["service"]["terms"]["ask_human"] is False


def test_a_form_that_is_wrong_says_so_and_changes_nothing(serving):
    owner = serving.client("owner")
    for address, body in (
        ("/services/milling/budgets/", {"name": "none", "period": "month"}),
        ("/services/milling/keys/", {"title": "", "scopes": ["infer"], "days": "9999"}),
        ("/services/milling/move/", {"move": "explode", "reason": "x"}),
    ):
        found = owner.post(address, body)
        assert found.status_code == 200
        assert "wrong" in found.content.decode() or "note error" in found.content.decode()
    assert all(one["name"] != "none" for one in owner.get("/api/services/milling/budgets").json())


def test_from_the_certificate_into_service_and_back(serving):
    serial = serving.trial.report.digest().partition(":")[2]
    for who, offered in (("owner", True), ("desk", True), ("supplier", False), (None, False)):
        page = serving.client(who).get(f"/certificates/{serial}/").content.decode()
        assert (f"/certificates/{serial}/service/" in page) is offered
        assert ("/services/milling/" in page) is (who is not None)
    owner = serving.client("owner")
    assert "/services/milling/" in owner.get("/trials/c1/").content.decode()
    for who, seen in (("owner", True), ("supplier", True), ("other-owner", False), (None, False)):
        page = serving.client(who).get(f"/certificates/{serial}/").content.decode()
        assert ("/trials/c1/" in page) is ("/trials/c1/report/" in page) is seen, who
        assert "/scenarios/plant/milling/" in page, "an open scenario is everybody's"
    report = owner.get("/trials/c1/report/").content.decode()
    assert 'href="/trials/c1/"' in report and 'href="/scenarios/plant/milling/"' in report
    matches = owner.get("/scenarios/plant/milling/matches/").content.decode()
    assert "/trials/c1/" in matches
    assert (
        "/trials/c1/" not in serving.client("other-supplier").get("/scenarios/plant/milling/matches/").content.decode()
    )
    assert 'href="/services/milling/"' in owner.get("/desk/").content.decode()
    assert f"/certificates/{serial}/" in owner.get("/services/milling/").content.decode()
    form = owner.get(f"/certificates/{serial}/service/")
    assert form.status_code == 200
    refused = owner.post(f"/certificates/{serial}/service/", {"name": "press", "title": ""})
    assert "forest" in refused.content.decode()
    assert serving.client("supplier").get(f"/certificates/{serial}/service/").status_code == 404


def test_the_command_line_drives_services_of_a_hub(serving):
    with listening(serving) as address:

        def run(who, *words, code=0):
            options = ["--hub", address, "--token", token_of(serving, who), "service", *words]
            done = CliRunner().invoke(app, options, env={"PILOTBASE_LANGUAGE": "en"})
            assert done.exit_code == code, done.output
            return done.output

        assert "milling" in run("supplier", "list")
        assert "Service milling does not exist" in run("other-owner", "show", "milling", code=2)
        assert "0 used, 0 reserved, of 20" in run("owner", "budget", "milling", "hub", "--calls", "20")
        secret = run("owner", "key", "create", "milling", "--title", "over the hub", "--budget", "hub").splitlines()[-1]
        made = json.loads(run("owner", "key", "list", "milling", "--json"))[0]
        assert made["prefix"] == secret[:10] and "secret" not in made
        run("owner", "key", "revoke", "milling", made["identity"])
        assert "stopped" in run("desk", "stop", "milling", "--reason", "line 3 is rebuilt")
        assert "line 3 is rebuilt" in run("owner", "show", "milling")
        assert "in service" in run("owner", "start", "milling", "--reason", "it runs")
        run("supplier", "usage", "milling", code=5)
        run("owner", "usage", "milling")
        trial = run("owner", "create", "press", "--trial", "c1", code=5)
        assert "does not have the verified files" in trial


def test_a_suspended_certificate_is_offered_to_nobody_and_a_used_up_hidden_set_is_no_retrial(serving):
    assert serving.client("owner").get("/api/services/milling").json()["answering"] == 0
    serving.trial.do(DESK, COMMISSION, Act.CERTIFICATE_SUSPEND)
    told = serving.client("owner").get("/api/services/milling").json()
    assert told["held"] == [{"route": 0, "why": "suspended"}] and told["answering"] is None
    for language, word in (("en", ">Suspended<"), ("zh-hans", ">已暂停<")):
        page = serving.client("supplier").get("/services/milling/", HTTP_ACCEPT_LANGUAGE=language).content.decode()
        assert word in page.partition("<tbody>")[2].partition("</tbody>")[0]
    serving.trial.do(MACHINE, COMMISSION, Act.RETRIAL_ASK)
    serial = serving.trial.report.digest().partition(":")[2]
    desk = serving.client("desk")
    for language, why in (("en", "the certificate of forest is suspended"), ("zh-hans", "目前不能投入使用")):
        page = desk.get(f"/certificates/{serial}/", HTTP_ACCEPT_LANGUAGE=language).content.decode()
        assert why in page and f"/certificates/{serial}/service/" not in page
    assert "/services/milling/" in desk.get("/trials/c1/").content.decode(), "it serves still, or what it falls back to"
    hidden = seal_hidden(serving, attempts=2)
    for used, offered in (("first", True), ("second", False)):
        use_attempt(hidden, used)
        page = desk.get("/trials/c1/").content.decode()
        told = {one["act"]: one["obstacle"] for one in desk.get("/api/trials/c1/acts").json()}
        assert told["trial.repeat"] == (None if offered else "All 2 attempts on this hidden set are used.")
        assert ("/trials/c1/acts/trial.repeat/" in page) is offered
        assert ("None left. A new hidden set is needed." in page) is not offered
        assert ("Number 3" in page) is False
    chinese = desk.get("/trials/c1/", HTTP_ACCEPT_LANGUAGE="zh-hans").content.decode()
    assert "需要新的隐藏集" in chinese and "该隐藏集的 2 次中试机会已用完" in chinese


def test_a_form_bounds_what_is_trimmed(serving):
    from pilotbase.hub.pages.services import KeyForm

    assert KeyForm.base_fields["title"].max_length == 200


def test_a_service_is_tried_from_its_page(serving, monkeypatch):
    owner, page, gateway = serving.client("owner"), "/services/milling/try/", Endpoint()
    asked = {"key": "pbk_mine", "question": json.dumps({"messages": [{"role": "user", "content": "status503"}]})}
    assert owner.get(page).status_code == 404  # this hub names no gateway
    with answering(gateway) as place:
        monkeypatch.setattr(settings, "CONFIGURATION", replace(settings.CONFIGURATION, gateway=place))
        offered = owner.get(page).content.decode()
        assert "torque" in offered and place in offered
        told = owner.post(page, asked).content.decode()
        assert "Status 503" in told and "their words" in told and "pbk_mine" in told
        assert gateway.asked[-1][1]["authorization"] == "Bearer pbk_mine"
        wrong = owner.post(page, {**asked, "question": "hello"}).content.decode()
        assert "wrong-why" in wrong or 'role="alert"' in wrong
        assert len(gateway.asked) == 1
        assert serving.client("supplier").get(page).status_code == 404
        assert serving.client("other-owner").post(page, asked).status_code == 404
    gone = owner.post(page, asked).content.decode()
    assert 'role="alert"' in gone  # nobody listens any more, and the page says so
