"""Calls on real boxes under what goes wrong: crowds, crashes, slow answers, callers who go, routes that fail."""

import asyncio
import json
import re
import threading
from dataclasses import replace

import aiohttp
import pytest

from pilotbase.documents.errors import InputError
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import CallEnd
from pilotbase.gateway.app import make_app
from pilotbase.gateway.configuration import METRICS_FROM, URL, GatewayConfiguration
from pilotbase.service.draining import drain
from pilotbase.service.journal import journals_of
from pilotbase.service.standing import take_offline
from pilotbase.service.terms import list_budgets
from pilotbase.workspace.home import HUB_URL
from tests.gateway.gateways_for_tests import CASE
from tests.sandbox.endpoints.stubs_for_tests import until


def body(service, *pressures):
    cases = [{**CASE, "pressure": pressure} for pressure in pressures]
    content = json.dumps(cases if len(cases) > 1 else cases[0])
    return {"model": service, "messages": [{"role": "user", "content": content}]}


def post(live, key, *bodies, **options):
    """Send all of ``bodies`` at once; return status, JSON and headers of each."""

    async def all_at_once():
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, headers={"Authorization": f"Bearer {key}"}) as session:
            return await asyncio.gather(*(one(session, sent) for sent in bodies))

    async def one(session, sent):
        async with session.post(f"{live.url}/v1/chat/completions", json=sent, **options) as response:
            return response.status, await response.json(), response.headers

    return asyncio.run(all_at_once())


def code(answer):
    return answer[1]["error"]["code"]


def said(answer):
    return json.loads(answer[1]["choices"][0]["message"]["content"])["prediction"]


def test_a_hundred_calls_at_once_on_a_nearly_empty_budget_never_overspend_it(live, place, name):
    place.serve(name, queue=200)
    place.budget("seven", name, calls=7)
    answers = post(live, place.key(name, budget="seven"), *[body(name, 7.5)] * 100)
    assert sorted(status for status, _, _ in answers) == [200] * 7 + [429] * 93
    (budget,) = list_budgets(place.base.lab.view, name)
    assert budget.used_calls + budget.held_calls == 7


def test_a_box_that_ends_over_a_call_is_started_again(live, place, name):
    place.serve(name, ask_human=False)
    key = place.key(name)
    (crashed,) = post(live, key, body(name, 6.5))
    assert (crashed[0], code(crashed)) == (502, "gateway.box_ended")
    (after,) = post(live, key, body(name, 7.5))
    assert said(after) == "broken"


def test_where_a_box_ends_over_a_call_a_person_is_asked(live, place, name):
    place.serve(name, ask_human=True)
    ((status, answer, headers),) = post(live, place.key(name), body(name, 6.5))
    assert (status, answer["pilotbase"], headers["Pilotbase-Standing"]) == (200, {"handed_over": True}, "human")


def test_an_answer_that_takes_too_long_is_not_waited_for(live, place, name):
    place.serve(name, timeout_seconds=0.5)
    key = place.key(name)
    post(live, key, body(name, 1))
    (late,) = post(live, key, body(name, 6.25))
    assert (late[0], code(late)) == (504, "gateway.timed_out")


def test_a_full_queue_refuses_at_once_and_stopping_the_service_ends_what_works_and_what_waits(live, place, name):
    place.serve(name, workers=1, queue=1, timeout_seconds=600)
    key, ended = place.key(name), []
    working = threading.Thread(target=lambda: ended.extend(post(live, key, body(name, 6.25), body(name, 6.25))))
    working.start()
    assert until(lambda: live.counts(name) == 2)
    (refused,) = post(live, key, body(name, 1))
    assert (refused[0], code(refused), refused[2]["Retry-After"]) == (503, "gateway.queue_full", "1")
    take_offline(place.base.lab.view, name, text("service.reason.by_hand", reason="smoke"))
    working.join()
    assert [(one[0], code(one)) for one in ended] == [(403, "gateway.ended")] * 2
    (after,) = post(live, key, body(name, 7.5))
    assert (after[0], code(after)) == (403, "service.stopped")


def test_an_earlier_certified_version_answers_where_the_first_does_not(live, place, name):
    place.serve(name)
    place.endpoint("http://127.0.0.1:9/v1", name)
    ((status, answer, headers),) = post(live, place.key(name), body(name, 7.5))
    assert status == 200
    assert said((status, answer)) == "broken"
    assert headers["Pilotbase-Standing"] == "fallen_back"


def test_every_call_is_observed_with_its_cases_and_its_end(live, place, name):
    place.serve(name)
    key = place.key(name)
    post(live, key, body(name, 7.5, 1, 6.75), headers={"X-Request-Id": "shift-7"})
    post(live, key, {**body(name, 7.5), "messages": [{"role": "user", "content": "?"}]})
    batches = []
    drain(place.base.lab.view, journals_of(place.base.home.path), batches.extend)
    own = {batch.end: batch for batch in batches if batch.service == name}
    assert list(own) == [CallEnd.ANSWERED, CallEnd.BROKE_CONTRACT]
    answered = own[CallEnd.ANSWERED]
    assert answered.ids == ("shift-7/0", "shift-7/1", "shift-7/2")
    assert answered.inputs == {"pressure": (7.5, 1.0, 6.75), "age": (3, 3, 3), "site": ("north",) * 3}
    assert answered.answers == ("broken", "fine", None)
    assert answered.version.startswith("sha256:")


def test_the_metrics_count_calls_by_their_end(live, place, served):
    post(live, place.key(served), body(served, 7.5))

    async def read():
        async with aiohttp.ClientSession() as session, session.get(f"{live.url}/metrics") as response:
            return response.status, await response.text()

    status, told = asyncio.run(read())
    assert status == 200
    assert f'pilotbase_service_boxes{{service="{served}"}} 1' in told
    assert "# TYPE pilotbase_calls_total counter" in told


def test_the_dashboard_shows_every_metric_and_none_that_is_not_told(live, place, served):
    post(live, place.key(served), body(served, 7.5))

    async def read():
        to = aiohttp.ClientSession(live.url)
        async with to as session, session.get("/metrics") as told, session.get("/metrics/grafana.json") as shown:
            return await told.text(), await shown.json()

    told, shown = asyncio.run(read())
    panels = shown["panels"]
    asked = {
        name for one in panels for target in one["targets"] for name in re.findall(r"pilotbase_\w+", target["expr"])
    }
    samples = set(re.findall(r"^(pilotbase_\w+?)[{ ]", told, re.MULTILINE))
    assert asked <= samples
    assert {name.removesuffix("_bucket") for name in asked} >= set(re.findall(r"# TYPE (\S+)", told)) - {
        "pilotbase_start_time_seconds"
    }
    assert len({(one["gridPos"]["x"], one["gridPos"]["y"]) for one in panels}) == len(panels)


@pytest.mark.parametrize(
    ("peer", "proxied", "status"),
    [("127.0.0.1", False, 200), ("10.20.0.5", False, 200), ("10.21.0.5", False, 404), ("10.20.0.5", True, 404)],
)
@pytest.mark.parametrize("path", ["/metrics", "/metrics/grafana.json"])
def test_metrics_are_read_from_this_machine_and_named_networks_only(place, live, peer, proxied, status, path):
    configuration = GatewayConfiguration.from_environment({METRICS_FROM: "10.20.0.0/16"})
    app = make_app(replace(live.gateway, metrics_from=configuration.metrics_from), place.base.lab)
    sent = []

    async def receive():
        return {"type": "http.request"}

    async def send(message):
        sent.append(message)

    headers = [(b"x-forwarded-for", b"10.20.0.9")] if proxied else []
    scope = {"type": "http", "method": "GET", "path": path, "headers": headers, "client": (peer, 4711)}
    asyncio.run(app({**scope, "query_string": b"", "server": ("gateway", 80), "scheme": "http"}, receive, send))
    assert sent[0]["status"] == status


def test_every_wrong_setting_is_told_at_once():
    with pytest.raises(InputError) as caught:
        GatewayConfiguration.from_environment({METRICS_FROM: "our-network", HUB_URL: "ftp://hub.example", URL: "base"})
    assert {issue.path for issue in caught.value.issues} == {METRICS_FROM, HUB_URL, URL}
