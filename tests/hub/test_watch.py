"""The watch on the hub: what is handed in over the API, what pages show to whom, in both languages."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from pilotbase.documents.service import ServiceStatus
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import ServingState
from pilotbase.service.registry import load_service
from pilotbase.service.standing import write_standing
from tests.watch.services_for_tests import ACME, BASE, OTHER, PLANT, labelled, observed

JSON = {"content_type": "application/json"}
SERVICE = "/api/services/milling"
DRIFT = "Drift of the inputs: x"


@pytest.fixture(scope="module")
def watched(one_world):
    """A hub with a certified service on cases of a dataset, whose watch is armed and has turned red."""
    from pilotbase.hub.base import base
    from pilotbase.watch.running import run
    from tests.watch.worlds_for_tests import World

    made = World(base().lab.store, base().home.path, dataset="dataset:plant/logs")
    made.arm(cohort_seconds=1, label_seconds=60)
    one_world.served = made
    hand_in(one_world, 300, wrong=200)
    later = base().lab.store.clock() + timedelta(minutes=5)
    ahead = type(base().lab.store)(base().lab.store.database, base().lab.store.key, lambda: later)
    run(ahead.as_actor(made.view.actor), "milling")
    return one_world


def hand_in(world, cases, wrong, name="b1", **more):
    at = datetime.now(UTC) - timedelta(seconds=2)
    ids = [f"{name}-{row}" for row in range(cases)]
    inputs = {"x": [9.0] * cases, "shift": ["day"] * cases}
    batch = observed(name, at, dict.fromkeys(ids, "fine"), inputs=inputs)
    labels = labelled(name, {one: "broken" if row < wrong else "fine" for row, one in enumerate(ids)})
    owner = world.client("owner")
    found = [post(owner, f"{SERVICE}/{what}", body) for what, body in (("observations", batch), ("labels", labels))]
    assert [one.status_code for one in found] == [200, 200], found[0].content
    return [one.json() for one in found]


def post(client, path, body, **headers):
    content = json.dumps(body if isinstance(body, dict) else body.to_json_value())
    return client.post(path, content, **JSON, **headers)


def secret_of(world, *scopes):
    from pilotbase.operations.services import NewKey
    from pilotbase.service.registry import write_key

    with world.served.view.transaction("service.key_made") as change:
        return write_key(change, "plant", NewKey(service="milling", title="t", scopes=frozenset(scopes)))[1]


def test_a_key_of_scope_observe_hands_in_for_its_service_and_opens_nothing_else(watched):
    visitor = watched.client()
    batch = observed("by-key", datetime.now(UTC), {"k1": "fine"}, inputs={"x": [0.1], "shift": ["day"]})
    assert post(visitor, f"{SERVICE}/observations", batch).status_code == 401
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {secret_of(watched, 'observe')}"}
    assert post(visitor, f"{SERVICE}/observations", batch, **bearer).json()["cases"] == 1
    assert post(visitor, f"{SERVICE}/labels", labelled("l-key", {"k1": "fine"}), **bearer).json()["labels"] == 1
    assert post(visitor, "/api/services/other/observations", batch, **bearer).status_code == 404
    both = {"batches": [batch.to_json_value(), labelled("l-key-2", {"k1": "fine"}).to_json_value()]}
    assert post(visitor, f"{SERVICE}/batches", both).status_code == 401
    taken = post(visitor, f"{SERVICE}/batches", both, **bearer).json()
    assert (taken["repeated"], taken["labels"]) == (1, 1)
    assert post(visitor, "/api/services/other/batches", both, **bearer).status_code == 404
    assert visitor.get(f"{SERVICE}/watch", **bearer).status_code == 401
    infer = {"HTTP_AUTHORIZATION": f"Bearer {secret_of(watched, 'infer')}"}
    assert post(visitor, f"{SERVICE}/observations", batch, **infer).status_code == 403
    assert post(visitor, f"{SERVICE}/batches", both, **infer).status_code == 403
    unknown = {"HTTP_AUTHORIZATION": "Bearer pbk_nothing"}
    assert post(visitor, f"{SERVICE}/observations", batch, **unknown).status_code == 401


def test_what_cannot_be_taken_is_a_problem_in_the_callers_language(watched):
    owner, now = watched.client("owner"), datetime.now(UTC)
    future = observed("future", now + timedelta(days=1), {"f1": "fine"})
    said = post(owner, f"{SERVICE}/observations", future, HTTP_ACCEPT_LANGUAGE="zh")
    assert (said.status_code, said.json()["code"]) == (422, "observation.future")
    assert "尚未到来" in said.content.decode()
    assert post(owner, f"{SERVICE}/observations", observed("b1", now, {"x": "y"})).status_code == 422
    other = observed("o", now, {"x": "y"}, service="other")
    assert post(owner, f"{SERVICE}/observations", other).status_code == 404
    twice = {**observed("t", now, {"x": "y"}).to_json_value(), "ids": ["a", "a"], "answers": ["y", "y"]}
    assert post(owner, f"{SERVICE}/observations", twice).status_code == 422
    counts = owner.get(f"{SERVICE}/watch").json()["counts"]
    assert (counts["future"], counts["batch_differs"]) == (1, 1)


def test_of_many_batches_those_that_can_be_taken_are_and_the_others_say_why(watched):
    now, owner, many = datetime.now(UTC), watched.client("owner"), f"{SERVICE}/batches"
    good = observed("m-good", now, {"m1": "fine"}).to_json_value()
    future = observed("m-future", now + timedelta(days=1), {"m2": "fine"}).to_json_value()
    label = labelled("m-label", {"m1": "broken"}).to_json_value()
    taken = post(owner, many, {"batches": [label, future, good]}).json()
    assert (taken["cases"], taken["labels"], taken["unknown_labels"]) == (1, 1, 0)
    assert [(one["batch"], one["reason"]["code"]) for one in taken["refused"]] == [("m-future", "observation.future")]
    again = post(owner, many, {"batches": [label, good]}).json()
    assert (again["cases"], again["labels"], again["repeated"]) == (0, 0, 2)
    fresh = observed("m-fresh", now, {"m3": "fine"}).to_json_value()
    others = observed("m-other", now, {"m4": "fine"}, service="other").to_json_value()
    assert post(owner, many, {"batches": [fresh, others]}).status_code == 404
    assert post(watched.client("other-owner"), many, {"batches": [fresh]}).status_code == 404
    assert post(watched.client("regulator"), many, {"batches": [fresh]}).status_code == 403
    for wrong in ([], [fresh] * 1001, [fresh, {**fresh, "ids": ["a/../b c"]}], [{**fresh, "document": "report/1"}]):
        assert post(owner, many, {"batches": wrong}).status_code == 422
    large = {**fresh, "inputs": {"x": ["长" * (3 << 20)]}}
    assert post(owner, many, {"batches": [large]}).status_code == 413
    assert post(owner, many, {"batches": [fresh]}).json()["cases"] == 1, "of what was refused nothing had been taken"


def test_the_page_shows_each_detector_with_its_picture_and_promise(watched):
    page = watched.client("owner").get("/services/milling/watch/")
    assert page.status_code == 200
    content = page.content.decode()
    assert 'id="awaited"' not in content, "a criterion that is judged stands with its detector"
    for shown in ("Accuracy at least 0.850", "P(ever red", "Criteria without a guarantee", "Cohorts", DRIFT):
        assert shown in content, shown
    assert content.count("<svg") >= 3
    assert "From certificate to alarm: " in content and "accepted: at most 15 %" in content and "red at 20" in content
    assert "What next:" in content and "How sure" in content
    told = watched.client("owner").get(f"{SERVICE}/watch").json()
    alphas = {f"risk:{risk['criterion']}": risk["alpha"] for risk in told["watch"]["risks"]}
    levels = {one["detector"]: one["level"] for one in told["detectors"]}
    assert alphas and levels == {name: 1 / alphas[name] if name in alphas else None for name in levels}
    assert all(f"red at {levels[name]:.4g}" in content for name in alphas), "the API tells what the picture draws"
    assert "Data up to" in content and "Raised" in content, "the moment of the data is not when it was said"
    assert 'href="/services/milling/"' in content
    assert "Replay a watch" not in content, "arming is the operator's"
    chinese = watched.client("owner", HTTP_ACCEPT_LANGUAGE="zh").get("/services/milling/watch/").content.decode()
    assert "风险预警" in chinese and "Risk warnings" not in chinese
    assert "输入漂移：x" in chinese and "drift" not in re.search(r"<main.*?</main>", chinese, re.S)[0]
    assert "milling" in watched.client("owner").get("/warnings/").content.decode()
    assert DRIFT not in watched.client("other-owner").get("/warnings/").content.decode()


def test_a_warning_has_a_page_that_says_what_why_what_next_and_how_sure_with_the_picture(watched):
    found = watched.client("owner").get(f"{SERVICE}/watch").json()["warnings"]
    digests = {one["warning"]["colour"]: one["digest"].partition(":")[2] for one in found}
    address = f"/warnings/{digests['red']}/"
    assert address in watched.client("owner").get("/warnings/").content.decode()
    page = watched.client("owner").get(address).content.decode()
    for shown in (
        "<dt>What</dt>",
        "Reason",
        "What next",
        "How sure",
        "Very. Of ",
        "P(ever red",
        "red at 20",
        "Accuracy at least 0.850",
    ):
        assert shown in page, shown
    assert "下一步" in watched.client("owner", HTTP_ACCEPT_LANGUAGE="zh").get(address).content.decode()
    drift = next(one["digest"] for one in found if one["warning"]["detector"] == "drift:x").partition(":")[2]
    assert "<svg" in watched.client("owner").get(f"/warnings/{drift}/").content.decode(), "columns over time"
    assert watched.client("other-owner").get(address).status_code == 404
    assert watched.client("owner").get(f"/warnings/{'0' * 64}/").status_code == 404


def test_the_desk_draws_the_alarm_of_what_is_red(watched):
    view = watched.served.view
    with view.transaction("service.moved") as change:
        service = load_service(view.within(change), "milling")
        reason = text("service.reason.version", application="forest 1.0.0")
        standing = ServiceStatus(service="milling", state=ServingState.SERVING, reason=reason, at=change.now)
        write_standing(change, service, standing, "create")
    desk = watched.client("owner").get("/desk/").content.decode()
    assert "From certificate to alarm: " in desk and "red at 20" in desk
    assert 'href="/warnings/' in desk, "each warning leads to its page"


def test_values_of_a_sealed_sample_are_told_to_its_owner_and_the_base_alone(watched):
    """The profile that drift is measured against has edges and categories of the sample, which its supplier may not."""
    profile = watched.client("owner").get(f"{SERVICE}/watch").json()["watch"]["profile"]
    seen = {one: watched.served.store.as_actor(one).get(profile) is not None for one in (PLANT, BASE, ACME, OTHER)}
    assert seen == {PLANT: True, BASE: True, ACME: False, OTHER: False}
    page = watched.client("supplier").get("/services/milling/watch/")
    assert page.status_code == 200 and DRIFT in page.content.decode()


def test_a_warning_is_acknowledged_once_by_owner_or_operator(watched):
    found = watched.client("owner").get(f"{SERVICE}/watch").json()["warnings"]
    digest = next(one["digest"] for one in found if one["warning"]["colour"] == "red")
    care = f"/api/warnings/{digest}/acknowledgement"
    assert post(watched.client("supplier"), care, {"note": "mine"}).status_code == 403
    assert post(watched.client("other-owner"), care, {"note": "mine"}).status_code == 404
    assert post(watched.client("owner"), care, {"note": "on it"}).status_code == 201
    assert post(watched.client("desk"), care, {}).status_code == 409
    drift = next(one["digest"] for one in found if one["warning"]["detector"] == "drift:x")
    page = f"/warnings/{drift.partition(':')[2]}/care/"
    assert watched.client("desk").post(page, {"note": ""}).status_code == 302
    assert "on it" in watched.client("regulator").get("/services/milling/watch/").content.decode()


def test_the_operator_replays_arms_silences_and_disarms(watched):
    desk, page = watched.client("desk"), "/services/milling/watch/"
    terms = {
        "tolerance": 0.02,
        "alpha": 0.05,
        "red_by": "period",
        "season": "1.1\n1\n1\n1\n1\n1\n0.9",
        "cohort_seconds": "1 s",
        "label_seconds": "0",
        "silence_seconds": "1 小时",
        "keep_days": 30,
    }
    assert watched.client("owner").post(f"{page}replay/", terms).status_code == 404
    assert "keep_days" in desk.post(f"{page}replay/", {**terms, "keep_days": 0}).content.decode()
    soon = desk.post(f"{page}replay/", {**terms, "cohort_seconds": "soon"}).content.decode()
    assert "This is not a valid duration" in soon
    assert "From 1 s to 3660 d." in desk.post(f"{page}replay/", {**terms, "cohort_seconds": "9999 d"}).content.decode()
    assert desk.post(f"{page}replay/", terms).status_code == 302
    shown = desk.get(page).content.decode()
    told = shown.partition('id="replay"')[2].partition("</section>")[0]
    for fact in (
        "<dt>Length of a cohort</dt><dd>1 s</dd>",
        "<dt>Probability of any false red warning</dt><dd>0.05</dd>",
        "<dt>Judge red by</dt><dd>whole periods",
    ):
        assert fact in told, "the terms of the replay stand beside what it came to, before it is armed"
    assert "P(ever red" in told and "No guarantee: " in told
    digest = shown.partition('name="replay" value="')[2].partition('"')[0]
    assert (
        desk.post(f"{page}arm/", {"replay": "sha256:" + "0" * 64}, follow=True).content.decode().count("replayed again")
    )
    assert desk.post(f"{page}arm/", {"replay": digest}).status_code == 302
    armed = desk.get(f"{SERVICE}/watch").json()
    assert (armed["watch"]["keep_days"], armed["colour"], armed["warnings"]) == (30, "green", [])
    for language, asked, said in (
        ("en", "Criteria with a guarantee", "P(ever red"),
        ("zh", "带承诺的指标", "误报红色的概率"),
    ):
        page_armed = watched.client("owner", HTTP_ACCEPT_LANGUAGE=language).get(page).content.decode()
        awaited = page_armed.partition('id="awaited"')[2].partition("</details>")[0]
        assert asked in awaited and awaited.count(said) == len(armed["watch"]["risks"]) > 0
    assert [armed["watch"][f"{name}_seconds"] for name in ("cohort", "label", "silence")] == [1, 0, 3600]
    form = desk.get(page).content.decode()
    assert "No data yet" in form and "All detectors are green" not in form
    assert 'value="1 s"' in form and 'value="1 h"' in form and "e-05" not in form
    assert desk.post(f"{page}silence/", {"reason": "night shift", "hours": 8}).status_code == 302
    assert "night shift" in desk.get(page).content.decode()
    assert desk.post(f"{page}speak/", {"detector": ""}).status_code == 302
    assert desk.get(f"{SERVICE}/watch").json()["silences"] == []
    assert desk.post(f"{page}disarm/").status_code == 302
    assert "not armed" in desk.get(page).content.decode()
    assert "The operator of the base replays and arms watches." in watched.client("owner").get(page).content.decode()


def test_the_api_does_what_the_page_does(watched):
    desk = watched.client("desk")
    made = post(desk, f"{SERVICE}/watch/replays", {"tolerance": 0.1})
    assert made.status_code == 201
    from pilotbase.documents.watch import Replay

    digest = Replay.model_validate(made.json()).digest()
    assert post(watched.client("owner"), f"{SERVICE}/watch/arming", {"replay": digest}).status_code == 403
    armed = post(desk, f"{SERVICE}/watch/arming", {"replay": digest})
    assert (armed.status_code, armed.json()["tolerance"]) == (200, 0.1)
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    assert post(desk, f"{SERVICE}/silences", {"reason": "night", "until": until}).status_code == 201
    for absurd in ("9999-12-31T23:59:59-01:00", "9999-12-31T00:00:00Z", 1e308):
        assert post(desk, f"{SERVICE}/silences", {"reason": "night", "until": absurd}).status_code == 422, absurd
    assert post(desk, f"{SERVICE}/silences/end", {}).status_code == 204
    assert post(watched.client("owner"), f"{SERVICE}/erasures", {"case": "b1-1"}).status_code == 204
    assert post(watched.client("owner"), f"{SERVICE}/erasures", {"case": "b1-1"}).status_code == 404
    assert desk.get(f"{SERVICE}/watch/path", {"detector": "latency"}).json() == []
    assert len(desk.get(f"{SERVICE}/warnings").json()) == len(desk.get("/api/warnings").json()) > 2
    assert post(desk, f"{SERVICE}/watch/disarming", {}).status_code == 200


def test_what_an_earlier_arming_had_come_to_stays_on_the_page(watched, monkeypatch):
    from pilotbase.watch import status

    def at_their_time(*asked, listed=status.list_warnings):
        """The fixture has raised them with a clock that is five minutes ahead."""
        found = [(one, one.warning.at - timedelta(minutes=5)) for one in listed(*asked)]
        return tuple(one.model_copy(update={"warning": one.warning.model_copy(update={"at": at})}) for one, at in found)

    monkeypatch.setattr(status, "list_warnings", at_their_time)
    page = watched.client("owner").get("/services/milling/watch/").content.decode()
    first = page.partition('id="earlier"')[2].partition("</details>")[0].rpartition("<tr>")[2]
    assert "forest 1.0.0" in first and "Accuracy at least" in first, "a broken promise is not lost with its path"
    assert "Red" in first and "Read by then: " in first
    chinese = watched.client("owner", HTTP_ACCEPT_LANGUAGE="zh").get("/services/milling/watch/").content.decode()
    assert "以往启用" in chinese and "Earlier armings" not in chinese


def test_the_incident_shows_what_led_to_the_alarm_whatever_was_armed_since(watched):
    from tests.watch.incidents_for_tests import open_one

    warned = watched.client("desk").get(f"{SERVICE}/warnings").json()
    red = next(one["digest"] for one in warned if one["warning"]["colour"] == "red")
    number = open_one(watched.served.store, service="milling", cause=red).number
    for language, bands in (("en", ("Risk", "Evidence", "Actions")), ("zh", ("风险", "证据", "处置"))):
        told = {"HTTP_ACCEPT_LANGUAGE": language}
        shown = watched.client("owner", **told).get(f"/incidents/{number}/").content.decode()
        assert all(f">{band}</text>" in shown for band in bands)
