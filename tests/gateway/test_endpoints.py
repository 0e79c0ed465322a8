"""Endpoints of others behind the gateway: passed through, metered, guarded, and let go of when the caller goes."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable

import numpy as np
import openai
import pytest
import tritonclient.http as triton

from pilotbase.gateway.configuration import GatewayConfiguration
from pilotbase.service.terms import list_budgets
from tests.gateway.gateways_for_tests import listening
from tests.gateway.test_mcp_and_a2a import A2aClient, McpClient


@pytest.fixture
def budgeted(live, place, name, endpoint):
    """A service over the endpoint, and a client whose key has a budget of tokens."""
    place.endpoint(f"{endpoint.url}/v1", name)
    place.budget("tokens", name, tokens=20_000)
    return openai.OpenAI(base_url=f"{live.url}/v1", api_key=place.key(name, budget="tokens"), max_retries=0)


def ask(client, model, word, **options):
    return client.chat.completions.create(model=model, messages=[{"role": "user", "content": word}], **options)


def spent(live, place, name) -> int:
    """Return the tokens that the budget is short of, once the gateway has given back what it holds."""
    live.gateway.desk.desk.give_back()
    (budget,) = list_budgets(place.base.lab.view, name)
    return budget.used_tokens + budget.held_tokens


def wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert holds()


def test_a_whole_answer_is_passed_on_and_metered_as_told(live, place, name, endpoint, budgeted):
    answer = ask(budgeted, name, "hello", extra_body={"unknown_to_us": 1})
    assert answer.choices[0].message.content == "said hello"
    _, headers, body = endpoint.asked[-1]
    sent = json.loads(body)
    assert (sent["model"], sent["unknown_to_us"], sent["max_tokens"]) == ("their-model", 1, 4096)
    assert "authorization" not in headers
    assert spent(live, place, name) == 8


def test_an_endpoint_is_asked_by_mcp_and_a2a_and_what_it_gets_wrong_is_told(live, place, name, endpoint):
    place.endpoint(f"{endpoint.url}/v1", name)
    mcp, a2a = McpClient(live, name, key := place.key(name)), A2aClient(live, name, key)
    assert mcp.call("ask", text="hello") == ("said hello", False)
    assert a2a.send({"text": "hello"})["artifacts"][0]["parts"] == [{"text": "said hello"}]
    for word in ("status400", "no choice"):
        told, failed = mcp.call("ask", text=word)
        assert failed and told["problem"] == "gateway.endpoint_failed"
        assert a2a.send({"text": word})["data"] == [{"code": "gateway.endpoint_failed"}]


def test_a_stream_is_passed_on_and_metered_from_its_usage(live, place, name, budgeted):
    chunks = list(ask(budgeted, name, "hello", stream=True))
    assert "".join(chunk.choices[0].delta.content for chunk in chunks) == "one two three"
    assert all(chunk.usage is None for chunk in chunks)  # it was not asked for
    assert spent(live, place, name) == 8


def test_usage_that_was_asked_for_is_shown(name, budgeted):
    chunks = list(ask(budgeted, name, "hello", stream=True, stream_options={"include_usage": True}))
    assert [chunk.usage.total_tokens for chunk in chunks if chunk.usage] == [8]


def test_usage_that_is_not_told_is_estimated_and_said_to_be(live, place, name, budgeted):
    raw = budgeted.chat.completions.with_raw_response.create(
        model=name, messages=[{"role": "user", "content": "no usage"}]
    )
    assert raw.headers["pilotbase-usage"] == "estimated"
    first = spent(live, place, name)
    assert 20 < first < 200
    list(ask(budgeted, name, "no usage", stream=True))
    assert 20 < spent(live, place, name) - first < 100


def test_a_caller_who_goes_in_the_middle_ends_the_stream_and_pays_for_what_was_said(
    live, place, name, endpoint, budgeted
):
    before = endpoint.cut
    stream = ask(budgeted, name, "hang", stream=True)
    assert next(iter(stream)).choices[0].delta.content == "one "
    stream.close()
    wait_for(lambda: endpoint.cut == before + 1)
    wait_for(lambda: live.gateway.measurements.ends["cancelled"] > 0)
    assert 0 < spent(live, place, name) < 100


def test_a_caller_who_goes_before_the_answer_pays_what_was_reserved(live, place, name, budgeted):
    ended = live.gateway.measurements.ends["cancelled"]
    with pytest.raises(openai.APITimeoutError):
        ask(budgeted, name, "slow", max_tokens=100, timeout=0.3)
    wait_for(lambda: live.gateway.measurements.ends["cancelled"] > ended)
    assert 100 < spent(live, place, name) < 400


def test_an_answer_that_breaks_off_is_told_within_the_stream(name, budgeted):
    with pytest.raises(openai.APIError, match="invalid response"):
        list(ask(budgeted, name, "break off", stream=True))


@pytest.mark.parametrize(("status", "told"), [(400, 400), (422, 422), (500, 502), (401, 502), (429, 503), (302, 502)])
def test_what_the_endpoint_refuses_is_told_with_whose_fault_it_is(place, live, name, endpoint, status, told):
    place.endpoint(f"{endpoint.url}/v1", name)
    client = openai.OpenAI(base_url=f"{live.url}/v1", api_key=place.key(name), max_retries=0)
    place.terms(name, ask_human=False)
    with pytest.raises(openai.APIStatusError) as caught:
        ask(client, name, f"status{status}")
    assert caught.value.status_code == told
    assert ("their words" in caught.value.message) == (told == status)
    headers = caught.value.response.headers
    assert ("retry-after" in headers) == (status == 429)
    assert (headers.get("x-should-retry") == "false") == (status in (302, 401))
    assert told == status or headers["x-request-id"] == endpoint.asked[-1][1]["x-request-id"]


def test_embeddings_are_passed_on(name, budgeted):
    assert budgeted.embeddings.create(model=name, input="x", encoding_format="float").data[0].embedding == [0.5, 1.0]


def test_inference_is_passed_on(live, place, name, endpoint):
    place.endpoint(endpoint.url, name, "oip")
    tensor = triton.InferInput("x", [1], "FP64")
    client = triton.InferenceServerClient(live.url.removeprefix("http://"))
    tensor.set_data_from_numpy(np.array([1.0]))
    headers = {"Authorization": f"Bearer {place.key(name)}"}
    assert client.infer(name, [tensor], headers=headers).as_numpy("y").tolist() == [2.5]
    _, sent, body = endpoint.asked[-1]
    assert body[int(sent["inference-header-content-length"]) :] == np.array([1.0]).tobytes()


def test_a_slow_endpoint_is_not_waited_for(live, place, name, endpoint):
    place.endpoint(f"{endpoint.url}/v1", name)
    place.terms(name, timeout_seconds=0.3)
    client = openai.OpenAI(base_url=f"{live.url}/v1", api_key=place.key(name), max_retries=0)
    began = time.monotonic()
    with pytest.raises(openai.InternalServerError) as caught:
        ask(client, name, "slow")
    assert (caught.value.status_code, caught.value.code) == (504, "gateway.timed_out")
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("ask_human", [True, False])
def test_where_nobody_answers_a_person_is_asked_or_the_call_fails(live, place, name, ask_human):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
    place.endpoint(url, name)
    place.terms(name, ask_human=ask_human)
    client = openai.OpenAI(base_url=f"{live.url}/v1", api_key=place.key(name), max_retries=0)
    if ask_human:
        assert ask(client, name, "hello").choices[0].message.refusal
        return
    with pytest.raises(openai.InternalServerError) as caught:
        ask(client, name, "hello")
    assert (caught.value.status_code, caught.value.code) == (503, "gateway.endpoint_down")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_private_addresses_are_not_reached_unless_listed(place, name, endpoint, host):
    place.endpoint(endpoint.url.replace("127.0.0.1", host) + "/v1", name)
    place.terms(name, ask_human=False)
    asked = len(endpoint.asked)
    with listening(place.base, GatewayConfiguration()) as guarded:
        client = openai.OpenAI(base_url=f"{guarded.url}/v1", api_key=place.key(name), max_retries=0)
        with pytest.raises(openai.InternalServerError) as caught:
            ask(client, name, "hello")
    assert caught.value.code == "gateway.endpoint_down"
    assert len(endpoint.asked) == asked


def test_the_key_of_an_endpoint_is_shown_to_it_alone(place, name, endpoint):
    place.endpoint(f"{endpoint.url}/v1", name)
    settings = GatewayConfiguration(allow=("127.0.0.1",), endpoint_keys={f"{endpoint.url}/v1": "their-secret"})
    with listening(place.base, settings) as live:
        ask(openai.OpenAI(base_url=f"{live.url}/v1", api_key=place.key(name), max_retries=0), name, "hello")
    assert endpoint.asked[-1][1]["authorization"] == "Bearer their-secret"


def test_what_calls_under_way_hold_of_a_budget_is_told_apart_from_what_is_spent(live, place, name, budgeted):
    """100 reserved of 20,000 tokens at 2.7 % of use: the client is to try again, and then it may."""

    def hold() -> None:
        with contextlib.suppress(openai.APITimeoutError):
            ask(budgeted, name, "slow", max_tokens=15_000, timeout=5)

    ended = live.gateway.measurements.ends["cancelled"]
    holding = threading.Thread(target=hold)
    holding.start()
    wait_for(lambda: any(one.pending for service, one in live.gateway.upstreams.made() if service == name))
    with pytest.raises(openai.RateLimitError) as caught:
        ask(budgeted, name, "hello", max_tokens=15_000)
    told = caught.value.response.headers
    assert (caught.value.code, told["pilotbase-error"]) == ("rate_limit_exceeded", "service.budget_held")
    assert told["retry-after"] == "1" and "x-should-retry" not in told
    holding.join()
    wait_for(lambda: live.gateway.measurements.ends["cancelled"] > ended)
    with pytest.raises(openai.RateLimitError) as caught:
        ask(budgeted, name, "hello", max_tokens=15_000)
    assert caught.value.code == "insufficient_quota"  # who went has paid what was reserved
