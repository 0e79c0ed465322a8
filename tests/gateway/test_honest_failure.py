"""An upstream that is down, slow or broken is an error to its callers, in their protocol, unless a desk is declared."""

import json
import socket
import time

import numpy as np
import openai
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

from pilotbase.documents.vocabularies import CallEnd, Colour
from pilotbase.service.draining import drain
from pilotbase.service.journal import journals_of
from pilotbase.watch.arming import arm, prepare_watch, replay_watch
from pilotbase.watch.detectors import level
from pilotbase.watch.status import status_of
from pilotbase.worker.services.watching import take_in, taking, watch_round


@pytest.fixture
def nowhere() -> str:
    """The address of an upstream that is wholly down."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return f"http://127.0.0.1:{closed.getsockname()[1]}"


def client(live, key: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{live.url}/v1", api_key=key, max_retries=0)


def ask(live, place, name, word, **options):
    chat = client(live, place.key(name)).chat.completions
    return chat.create(model=name, messages=[{"role": "user", "content": word}], **options)


def ends(place, name) -> list[str]:
    """Return how the calls of a service ended, as the watch is told."""
    seen, deadline = [], time.monotonic() + 60
    while not seen and time.monotonic() < deadline:  # a stream is settled after its caller has heard of its end
        drain(place.base.lab.view, journals_of(place.base.home.path), seen.extend)
        seen = [batch for batch in seen if batch.service == name]
    return [batch.end for batch in seen]


def told(caught) -> tuple[int, str]:
    return caught.value.status_code, caught.value.code


@pytest.mark.parametrize("stream", [False, True])
def test_a_service_on_its_usual_terms_that_is_wholly_down_is_an_error(live, place, name, nowhere, stream):
    place.endpoint(f"{nowhere}/v1", name)
    with pytest.raises(openai.InternalServerError) as caught:
        ask(live, place, name, "hello", stream=stream)
    assert told(caught) == (503, "gateway.endpoint_down")
    assert ends(place, name) == [CallEnd.FAILED]


def test_a_service_that_is_wholly_down_is_an_error_of_the_inference_protocol_too(live, place, name, nowhere):
    place.endpoint(nowhere, name, "oip")
    tensor = triton.InferInput("x", [1], "FP64").set_data_from_numpy(np.array([1.0]))
    own = triton.InferenceServerClient(live.url.removeprefix("http://"))
    with pytest.raises(InferenceServerException) as caught:
        own.infer(name, [tensor], headers={"Authorization": f"Bearer {place.key(name)}"})
    assert caught.value.status() == "503"


@pytest.mark.parametrize(
    ("word", "status", "code"),
    [
        ("status500", 502, "gateway.endpoint_failed"),
        ("status503", 503, "gateway.queue_full"),
        ("words", 502, "gateway.endpoint_failed"),
        ("error in 200", 502, "gateway.endpoint_failed"),
        ("slow", 504, "gateway.timed_out"),
    ],
)
def test_a_broken_or_slow_upstream_is_an_error_and_the_watch_is_told(live, place, name, endpoint, word, status, code):
    place.endpoint(f"{endpoint.url}/v1", name)
    place.terms(name, timeout_seconds=0.5)
    with pytest.raises(openai.InternalServerError) as caught:
        ask(live, place, name, word)
    assert told(caught) == (status, code)
    assert ends(place, name) == [CallEnd.TIMED_OUT if word == "slow" else CallEnd.FAILED]


def test_an_answer_that_is_packed_though_nobody_asked_is_unpacked(live, place, name, endpoint):
    place.endpoint(f"{endpoint.url}/v1", name)
    assert ask(live, place, name, "gzip").choices[0].message.content == "unpacked"
    assert ends(place, name) == [CallEnd.ANSWERED]


@pytest.mark.parametrize("word", ["no gzip", "grows too large"])
def test_what_cannot_be_unpacked_within_bounds_is_an_error(live, place, name, endpoint, word):
    place.endpoint(f"{endpoint.url}/v1", name)
    with pytest.raises(openai.InternalServerError) as caught:
        ask(live, place, name, word)
    assert told(caught) == (502, "gateway.endpoint_failed")
    assert ends(place, name) == [CallEnd.FAILED]


@pytest.mark.parametrize("word", ["break off", "error event"])
def test_a_stream_that_breaks_is_an_error_and_the_watch_is_told(live, place, name, endpoint, word):
    place.endpoint(f"{endpoint.url}/v1", name)
    with pytest.raises(openai.APIError, match="invalid response"):
        list(ask(live, place, name, word, stream=True))
    assert ends(place, name) == [CallEnd.FAILED]


def test_a_desk_that_the_terms_declare_is_handed_the_question_and_the_failure_is_counted(live, place, name, nowhere):
    place.endpoint(f"{nowhere}/v1", name)
    place.terms(name, ask_human=True)
    message = ask(live, place, name, "hello").choices[0].message
    assert (message.content, bool(message.refusal)) == (None, True)
    assert ends(place, name) == [CallEnd.FAILED]


def test_what_the_endpoint_finds_fault_with_is_the_callers_and_no_answer(live, place, name, endpoint):
    place.endpoint(f"{endpoint.url}/v1", name)
    with pytest.raises(openai.BadRequestError):
        ask(live, place, name, "status400")
    assert ends(place, name) == [CallEnd.BROKE_CONTRACT]


def test_an_abstention_is_the_applications_own_answer_and_no_hand_over(live, place, name):
    place.serve(name)
    case = json.dumps({"pressure": 6.75, "age": 3, "site": "north"})
    raw = client(live, place.key(name)).chat.completions.with_raw_response.create(
        model=name, messages=[{"role": "user", "content": case}]
    )
    assert json.loads(raw.parse().choices[0].message.content) == {"prediction": None}
    assert "pilotbase-handed-over" not in raw.headers
    assert ends(place, name) == [CallEnd.ANSWERED]


@pytest.fixture
def watched(place, name, monkeypatch):
    """Arms the watch of the service; returns the colour of its availability once the worker has taken calls in."""
    monkeypatch.setattr(level, "OUTAGE_SECONDS", 0.05)
    base = place.base

    def armed() -> None:
        replay_watch(base.lab, base.lab.view, prepare_watch(base.lab, base.lab.view, name))
        arm(base.lab.view, name)

    def colour() -> Colour:
        take_in(base, taking(base))
        watch_round(base)
        found = {one.detector: one.colour for one in status_of(base.lab.view, name).detectors}
        return found.get("availability", Colour.GREEN)

    return armed, colour


def test_an_outage_turns_the_watch_orange_and_malformed_calls_do_not(live, place, name, nowhere, endpoint, watched):
    armed, colour = watched
    place.endpoint(f"{endpoint.url}/v1", name)
    armed()
    for _ in range(20):
        with pytest.raises(openai.BadRequestError):
            ask(live, place, name, "status400")
    assert colour() is Colour.GREEN
    for _ in range(8):
        with pytest.raises(openai.InternalServerError):
            ask(live, place, name, "status503")
    assert colour() is Colour.ORANGE
    for _ in range(12):
        ask(live, place, name, "hello")
    assert colour() is Colour.GREEN
