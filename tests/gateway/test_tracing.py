"""Spans of calls, as a collector receives them over real HTTP."""

import contextlib
import json
import queue

import httpx
import openai
import pytest

from pilotbase.gateway.configuration import GatewayConfiguration
from tests.gateway.endpoints_for_tests import reply
from tests.gateway.gateways_for_tests import CASE, listening, serving

PARENT = f"00-{0xAB:032x}-{0xCD:016x}-01"


class Collector:
    """Takes spans, or refuses them."""

    def __init__(self):
        self.spans, self.status, self.authorization = queue.Queue(), 200, ""

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return
        body = b""
        while (message := await receive()).get("more_body") or message.get("body"):
            body += message["body"]
            if not message.get("more_body"):
                break
        assert scope["path"] == "/v1/traces"
        self.authorization = dict(scope["headers"]).get(b"x-tenant", b"").decode()
        for resource in json.loads(body)["resourceSpans"]:
            named = {one["key"]: one["value"]["stringValue"] for one in resource["resource"]["attributes"]}
            for one in resource["scopeSpans"][0]["spans"]:
                values = {name["key"]: next(iter(name["value"].values())) for name in one["attributes"]}
                self.spans.put((one, values, named["service.name"]))
        await reply(send, {}, self.status)

    def next(self):
        return self.spans.get(timeout=30)


@pytest.fixture
def collector():
    return Collector()


@pytest.fixture
def traced(place, collector):
    with serving(collector) as url:
        configuration = GatewayConfiguration(
            allow=("127.0.0.1",), traces=url, trace_headers={"x-tenant": "plant"}, trace_name="line 3"
        )
        with listening(place.base, configuration) as live:
            yield live


def ask(live, key, model, content, **more):
    client = openai.OpenAI(base_url=f"{live.url}/v1", api_key=key, max_retries=0)
    return client.chat.completions.create(model=model, messages=[{"role": "user", "content": content}], **more)


def test_a_call_is_a_span_in_the_trace_of_its_caller(place, traced, collector, served):
    ask(traced, place.key(served), served, json.dumps(CASE), extra_headers={"traceparent": PARENT})
    span, values, name = collector.next()
    assert (span["traceId"], span["parentSpanId"], span["kind"], name) == (f"{0xAB:032x}", f"{0xCD:016x}", 2, "line 3")
    assert values["gen_ai.operation.name"] == "chat" and values["gen_ai.request.model"] == served
    assert (values["http.response.status_code"], values["pilotbase.standing"]) == ("200", "serving")
    assert values["pilotbase.version"].startswith("sha256:") and values["pilotbase.call"]
    assert int(span["endTimeUnixNano"]) > int(span["startTimeUnixNano"]) and not span["status"]
    assert collector.authorization == "plant"
    assert "broken" not in json.dumps(span) and "north" not in json.dumps(span)  # neither questions nor answers


def test_an_endpoint_is_told_the_trace_and_its_tokens_are_counted(place, traced, collector, endpoint, name):
    place.endpoint(f"{endpoint.url}/v1", name)
    key = place.key(name)
    ask(traced, key, name, "hello")
    span, values, _ = collector.next()
    told = endpoint.asked[-1][1]["traceparent"]
    assert told == f"00-{span['traceId']}-{span['spanId']}-01" and "parentSpanId" not in span
    assert (values["gen_ai.usage.input_tokens"], values["gen_ai.usage.output_tokens"]) == ("5", "3")
    list(ask(traced, key, name, "hello", stream=True))
    _, values, _ = collector.next()
    assert values["http.response.status_code"] == "200" and "gen_ai.usage.input_tokens" in values


def test_an_error_is_named_and_what_is_not_to_be_sampled_is_not_sent(place, traced, collector, served):
    with contextlib.suppress(openai.BadRequestError):
        ask(traced, place.key(served), served, "{}", extra_headers={"traceparent": PARENT[:-1] + "0"})
    with pytest.raises(openai.BadRequestError):
        ask(traced, place.key(served), served, "{}")
    span, values, _ = collector.next()
    assert (values["error.type"], span["status"]) == ("contract.broken", {"code": 2})
    assert "parentSpanId" not in span and httpx.get(f"{traced.url}/health/live").status_code == 200
    assert collector.spans.empty()


def test_calls_are_answered_while_the_collector_refuses(place, traced, collector, served, caplog):
    collector.status = 503
    key = place.key(served)
    for _ in range(3):
        assert ask(traced, key, served, json.dumps(CASE))
    collector.next()
    traced.gateway.spans.close()
    assert "spans were lost on the way to" in caplog.text and "503" in caplog.text
