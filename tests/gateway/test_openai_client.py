"""The official client of OpenAI, unmodified, on a certified application in a real box."""

import gzip
import json
import urllib.error
import urllib.request

import openai
import pytest
from sqlalchemy import update

from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Scope
from pilotbase.operations.services import NewKey
from pilotbase.service.standing import ask_human, restore, take_offline
from pilotbase.service.terms import create_key
from pilotbase.workspace.tables import service_keys
from tests.gateway.gateways_for_tests import CASE


def client(live, key):
    return openai.OpenAI(base_url=f"{live.url}/v1", api_key=key, max_retries=0)


def ask(live, key, name, content, **options):
    messages = [{"role": "system", "content": "ignored"}, {"role": "user", "content": content}]
    return client(live, key).chat.completions.create(model=name, messages=messages, **options)


def test_one_case_and_a_list_of_cases(live, place, served):
    key = place.key(served)
    one = ask(live, key, served, json.dumps(CASE))
    assert json.loads(one.choices[0].message.content) == {"prediction": "broken"}
    assert one.choices[0].finish_reason == "stop"
    cases = [CASE, {**CASE, "pressure": 1}, {**CASE, "pressure": 6.75}]
    several = ask(live, key, served, json.dumps(cases))
    assert json.loads(several.choices[0].message.content) == [
        {"prediction": "broken"},
        {"prediction": "fine"},
        {"prediction": None},
    ]


def test_cases_in_parts_of_text(live, place, served):
    parts = [{"type": "text", "text": json.dumps(CASE)[:10]}, {"type": "text", "text": json.dumps(CASE)[10:]}]
    assert "broken" in ask(live, place.key(served), served, parts).choices[0].message.content


def test_a_stream_holds_the_same_answer_and_the_usage_that_was_asked_for(live, place, served):
    options = {"stream": True, "stream_options": {"include_usage": True}}
    events = list(ask(live, place.key(served), served, json.dumps(CASE), **options))
    said = "".join(event.choices[0].delta.content or "" for event in events if event.choices)
    assert json.loads(said) == {"prediction": "broken"}
    assert [event.usage.total_tokens for event in events if event.usage] == [0]


def test_a_key_that_calls_too_often_is_told_when_to_try_again(live, place, served):
    wanted = NewKey(service=served, title="tests", calls_a_minute=6)
    key = create_key(place.base.lab.view, wanted).secret
    assert ask(live, key, served, json.dumps(CASE))
    with pytest.raises(openai.RateLimitError) as caught:
        ask(live, key, served, json.dumps(CASE))
    told = caught.value.response.headers
    assert (caught.value.code, told["pilotbase-error"]) == ("rate_limit_exceeded", "service.rate_limited")
    assert 1 <= int(told["retry-after"]) <= 10 and "x-should-retry" not in told


def test_models_are_what_the_key_opens(live, place, served, name):
    place.serve(name)
    listed = client(live, place.key(served)).models
    assert [model.id for model in listed.list()] == [served]
    assert listed.retrieve(served).owned_by == "plant"
    with pytest.raises(openai.NotFoundError):
        listed.retrieve(name)


def test_who_answered_stands_in_the_headers(live, place, served):
    completions = client(live, place.key(served)).chat.completions.with_raw_response
    raw = completions.create(
        model=served,
        messages=[{"role": "user", "content": json.dumps(CASE)}],
        extra_headers={"X-Request-Id": "shift-7.case-12"},
    )
    assert raw.headers["x-request-id"] == "shift-7.case-12"
    assert raw.headers["pilotbase-version"].startswith("sha256:")
    assert raw.headers["pilotbase-standing"] == "serving"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("what do you think?", "as JSON"),
        ("[]", "JSON object"),
        ('{"pressure": 7}', "age: the field is missing"),
        (json.dumps({**CASE, "colour": "red"}), "colour: the contract has no such field"),
        (json.dumps({**CASE, "pressure": "high"}), "is not a number"),
        (json.dumps({**CASE, "pressure": True}), "is not a number"),
        (json.dumps({**CASE, "age": 3.5}), "is not a 64-bit whole number"),
        (json.dumps({**CASE, "pressure": 10.5}), "above the maximum, 10"),
        (json.dumps({**CASE, "site": None}), "values were never missing"),
        ("[" * 5000, "as JSON"),
    ],
)
def test_what_breaks_the_contract_is_told_field_by_field(live, place, served, content, said):
    with pytest.raises(openai.BadRequestError) as caught:
        ask(live, place.key(served), served, content)
    assert said in caught.value.message
    assert caught.value.code == "contract.broken"


def test_problems_are_told_in_chinese_to_those_who_ask(live, place, served):
    with pytest.raises(openai.BadRequestError) as caught:
        ask(live, place.key(served), served, "?", extra_headers={"Accept-Language": "zh-CN,zh;q=0.9"})
    assert "不符合该服务的数据契约" in caught.value.message


def test_keys_that_open_nothing(live, place, served, name):
    place.serve(name)
    expired, gone = place.key(served), place.key(name)
    with place.base.lab.store.database.write() as connection:
        now = place.base.lab.store.clock()
        connection.execute(update(service_keys).where(service_keys.c.prefix == expired[:10]).values(expires_at=now))
    with place.base.lab.view.transaction("test.touched") as change:
        change.record("test.touched", ["test"])
    for key in ("pbk_unknown", "", expired):
        with pytest.raises(openai.AuthenticationError) as caught:
            ask(live, key or "x", served, json.dumps(CASE))
        assert caught.value.code == "invalid_api_key"
        assert "Unknown key. Use the whole key" in caught.value.message or key == expired
    with pytest.raises(openai.NotFoundError) as unknown:
        ask(live, gone, served, json.dumps(CASE))
    assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.PermissionDeniedError):
        ask(live, place.key(served, scope=Scope.OBSERVE), served, json.dumps(CASE))


def test_a_service_of_others_and_one_that_is_not_are_told_alike(live, place, served, name):
    place.serve(name)
    told = []
    for model in (name, "no-such-thing"):
        with pytest.raises(openai.NotFoundError) as caught:
            ask(live, place.key(served), model, json.dumps(CASE))
        told.append(caught.value.message.replace(model, "X"))
    assert told[0] == told[1]


def test_a_spent_budget_is_not_tried_again(live, place, served):
    place.budget("two", served, calls=2)
    key = place.key(served, budget="two")
    for _ in range(2):
        ask(live, key, served, json.dumps(CASE))
    with pytest.raises(openai.RateLimitError) as caught:
        ask(live, key, served, json.dumps(CASE))
    assert caught.value.code == "insufficient_quota"
    assert caught.value.response.headers["x-should-retry"] == "false"


def test_what_breaks_the_contract_costs_nothing(live, place, served):
    place.budget("one", served, calls=1)
    key = place.key(served, budget="one")
    for _ in range(3):
        with pytest.raises(openai.BadRequestError):
            ask(live, key, served, "?")
    assert ask(live, key, served, json.dumps(CASE)).choices


def test_stopping_a_service_stops_its_next_call(live, place, name):
    place.serve(name)
    key, view = place.key(name), place.base.lab.view
    assert ask(live, key, name, json.dumps(CASE)).choices[0].message.content
    take_offline(view, name, text("gateway.handed_over"))
    with pytest.raises(openai.PermissionDeniedError) as caught:
        ask(live, key, name, json.dumps(CASE))
    assert caught.value.code == "service.stopped"
    restore(view, name, text("gateway.handed_over"))
    assert ask(live, key, name, json.dumps(CASE)).choices[0].message.content


def test_a_question_for_a_person_is_an_answer_without_content(live, place, name):
    place.serve(name, ask_human=True)
    ask_human(place.base.lab.view, name, text("gateway.handed_over"))
    completions = client(live, place.key(name)).chat.completions
    raw = completions.with_raw_response.create(model=name, messages=[{"role": "user", "content": json.dumps(CASE)}])
    message = raw.parse().choices[0].message
    assert message.content is None
    assert "person" in message.refusal
    assert raw.headers["pilotbase-handed-over"] == "true"
    assert json.loads(raw.text)["pilotbase"] == {"handed_over": True}


def test_bodies_are_bounded_before_they_are_read(live, place, name):
    place.serve(name, body_bytes=2048)
    with pytest.raises(openai.APIStatusError) as caught:
        ask(live, place.key(name), name, "x" * 4000)
    assert caught.value.status_code == 413
    assert caught.value.code == "wire.body_size"


def test_an_application_gives_no_embeddings_and_says_where_it_answers(live, place, served):
    with pytest.raises(openai.BadRequestError) as caught:
        client(live, place.key(served)).embeddings.create(model=served, input="x")
    assert caught.value.code == "wire.other_task" and "/v1/chat/completions" in caught.value.message


def test_a_compressed_body_is_told_as_that(live, place, served):
    sent = gzip.compress(json.dumps({"model": served, "messages": [{"role": "user", "content": "x"}]}).encode())
    headers = {"Authorization": f"Bearer {place.key(served)}", "Content-Encoding": "gzip"}
    request = urllib.request.Request(f"{live.url}/v1/chat/completions", sent, headers)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=60)
    assert caught.value.code == 415
    assert "compressed (gzip)" in json.load(caught.value)["error"]["message"]
