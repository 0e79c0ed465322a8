"""Completions, rerank, transcriptions and images by the official client, of endpoints and of certified applications."""

import io
import json
import wave

import httpx
import numpy as np
import openai
import pytest

from pilotbase.documents.contract import Contract, Field, Prediction
from pilotbase.gateway.upstreams.tabular import TabularModel
from pilotbase.protocols.contract_cases import ContractBrokenError
from pilotbase.protocols.frames import AnswerBatch
from pilotbase.protocols.openai_tasks import (
    read_completion_request,
    read_form,
    read_rerank_request,
    read_transcription_request,
    write_form,
)
from pilotbase.protocols.strict_json import WireError
from pilotbase.protocols.upstream import UpstreamCall
from pilotbase.service.terms import list_budgets
from tests.gateway.gateways_for_tests import CASE

SOUND = Field(name="sound", dataType="sc:AudioObject", rate=8000)
TEXT = Prediction(kind="text")


def client(live, key):
    return openai.OpenAI(base_url=f"{live.url}/v1", api_key=key, max_retries=0)


def sounded(rate=8000, samples=80):
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, rate, samples, "NONE", ""))
        sound.writeframes(np.arange(samples, dtype="<i2").tobytes())
    return file.getvalue()


@pytest.fixture
def theirs(place, endpoint, name):
    """Return the name of a service that an endpoint answers, and a key with a budget of tokens."""
    place.endpoint(f"{endpoint.url}/v1", name)
    place.budget("month", name, tokens=1_000_000)
    return name, place.key(name, budget="month")


def used(live, place, name):
    """Return the tokens that the budget is short of, once the gateway has given back what it holds."""
    live.gateway.desk.desk.give_back()
    (budget,) = list_budgets(place.base.lab.view, name)
    return budget.used_tokens + budget.held_tokens


def test_a_completion_goes_through_under_the_endpoints_own_name_and_is_metered(live, place, theirs, endpoint):
    name, key = theirs
    answer = client(live, key).completions.create(model=name, prompt="And", max_tokens=9)
    assert answer.choices[0].text == "and so on"
    path, _, body = endpoint.asked[-1]
    assert path == "/v1/completions" and json.loads(body)["model"] == "their-model"
    assert used(live, place, name) == 8


def test_a_streamed_completion_is_counted_by_its_words_where_nobody_tells_its_tokens(live, place, theirs):
    name, key = theirs
    said = client(live, key).completions.create(model=name, prompt="And", stream=True)
    assert "".join(one.choices[0].text for one in said) == "one two"
    assert used(live, place, name) >= 2
    with pytest.raises(openai.APIError):
        list(client(live, key).completions.create(model=name, prompt="break off", stream=True))


def test_documents_are_reranked_at_each_address_at_which_clients_look(live, place, theirs, endpoint):
    name, key = theirs
    asked = {"model": name, "query": "pump", "documents": ["valve", {"text": "pump"}], "top_n": 1}
    for path in ("/v1/rerank", "/v2/rerank", "/rerank"):
        answer = httpx.post(f"{live.url}{path}", json=asked, headers={"Authorization": f"Bearer {key}"})
        assert answer.json()["results"][0]["index"] == 1
        assert endpoint.asked[-1][0] == "/v1/rerank"
    assert used(live, place, name) == 33


def test_a_sound_is_written_down_and_reaches_the_endpoint_whole(live, place, theirs, endpoint):
    name, key = theirs
    sound = sounded()
    audio = client(live, key).audio.transcriptions
    assert audio.create(model=name, file=("call.wav", sound), language="en").text == "seven"
    path, headers, body = endpoint.asked[-1]
    fields, files = read_form(body, headers["content-type"])
    assert path == "/v1/audio/transcriptions" and files["file"] == ("call.wav", sound)
    assert fields["model"] == "their-model" and fields["language"] == "en"
    assert audio.create(model=name, file=("call.wav", sound), response_format="text") == "seven\n"
    assert 0 < used(live, place, name) < 100


def test_images_are_drawn_and_paid_as_they_were_counted(live, place, theirs):
    name, key = theirs
    drawn = client(live, key).images.generate(model=name, prompt="a pump", n=1)
    assert drawn.data[0].b64_json == "iVBORw0K"
    assert used(live, place, name) == 207


@pytest.mark.parametrize(
    ("word", "kind"), [("no answer", 502), ("status404", 502), ("status500", 502), ("status429", 503)]
)
def test_what_is_no_answer_of_the_task_is_an_error(live, theirs, word, kind):
    name, key = theirs
    with pytest.raises(openai.APIStatusError) as caught:
        client(live, key).images.generate(model=name, prompt=word)
    assert caught.value.status_code == kind


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("completions", {"prompt": [1, 2]}),
        ("completions", {"prompt": []}),
        ("completions", {"prompt": "x", "n": -1}),
        ("rerank", {"query": "x", "documents": [7]}),
        ("rerank", {"query": "", "documents": ["x"]}),
        ("rerank", {"query": "x", "documents": ["y"], "top_n": 0}),
        ("images/generations", {"prompt": "x", "n": 11}),
        ("images/generations", {"prompt": "x", "stream": True}),
        ("audio/transcriptions", {"file": "x"}),
    ],
)
def test_what_no_task_allows_is_refused_in_its_shape_and_costs_nothing(live, place, theirs, path, fields):
    name, key = theirs
    headers = {"Authorization": f"Bearer {key}"}
    answer = httpx.post(f"{live.url}/v1/{path}", json={"model": name, **fields}, headers=headers)
    assert answer.status_code == 400 and set(answer.json()["error"]) == {"message", "type", "param", "code"}
    assert used(live, place, name) == 0


def test_a_certified_application_completes_cases_and_says_where_it_does_not_answer(live, place, served):
    key = place.key(served)
    asked = [json.dumps(CASE), json.dumps({**CASE, "pressure": 6.75})]
    answer = client(live, key).completions.create(model=served, prompt=asked)
    assert [json.loads(one.text) for one in answer.choices] == [{"prediction": "broken"}, {"prediction": None}]
    for call in (
        lambda: client(live, key).images.generate(model=served, prompt="x"),
        lambda: client(live, key).audio.transcriptions.create(model=served, file=("a.wav", sounded())),
    ):
        with pytest.raises(openai.BadRequestError) as caught:
            call()
        assert caught.value.code == "wire.other_task" and "/v1/chat/completions" in caught.value.message


def model(features, prediction):
    return TabularModel(Contract(features=features, prediction=prediction), frozenset(), "sha256:0")


def question(read, body, *more):
    return UpstreamCall("c1", "desk", body, read(body, *more), 1_800_000_000)


def answers(*values):
    return AnswerBatch(np.array(values, dtype=object))


def heard(sound=None, **fields):
    body, media_type = write_form({"model": "desk", **fields}, "a.wav", sounded() if sound is None else sound)
    return question(read_transcription_request, body, media_type)


def test_an_application_that_hears_writes_down_a_sound_of_its_own_rate():
    desk, asked = model((SOUND,), TEXT), heard()
    read = desk.read(asked)
    assert read.batch.columns["sound"][0].tolist() == list(range(80))
    assert json.loads(desk.answer(asked, read, answers("七")).body) == {"text": "七"}
    assert json.loads(desk.answer(asked, read, answers(None)).body)["pilotbase"] == {"abstained": True}
    plain = heard(response_format="text")
    assert desk.answer(plain, read, answers("七")).body == "七\n".encode()
    over = desk.hand_over(asked, read)
    assert over.handed_over and json.loads(over.body) == {"text": "", "pilotbase": {"handed_over": True}}


@pytest.mark.parametrize("sound", [sounded(rate=16000), b"RIFF", b"ID3 is no sound here", b""])
def test_another_rate_and_what_is_no_sound_break_the_contract(sound):
    with pytest.raises(ContractBrokenError) as caught:
        model((SOUND,), TEXT).read(heard(sound))
    assert caught.value.field == "sound"


def test_forms_that_need_the_times_of_words_are_refused_before_anybody_is_asked():
    with pytest.raises(WireError) as caught:
        model((SOUND,), TEXT).read(heard(response_format="srt"))
    assert caught.value.field == "response_format"


def test_an_application_that_ranks_puts_documents_in_order():
    features = (Field(name="query", dataType="sc:Text"), Field(name="documents", dataType="sc:Text"))
    desk = model(features, Prediction(kind="ranking"))
    body = json.dumps(
        {"model": "desk", "query": "pump", "documents": ["valve", "a\npump", "x"], "return_documents": True}
    )
    asked = question(read_rerank_request, body.encode())
    read = desk.read(asked)
    assert read.batch.columns["documents"].tolist() == ["0 valve\n1 a pump\n2 x"]
    results = json.loads(desk.answer(asked, read, answers('["1", "7", "0", "1"]')).body)["results"]
    assert [(one["index"], one["relevance_score"], one["document"]["text"]) for one in results] == [
        (1, 1.0, "a\npump"),
        (0, 0.5, "valve"),
    ]
    assert json.loads(desk.answer(asked, read, answers(None)).body)["results"] == []


def test_prompts_are_cases_of_their_own_in_words_and_in_turns():
    body = json.dumps({"model": "desk", "prompt": ["where?", "when?"], "metadata": {"language": "en"}}).encode()
    asked = question(read_completion_request, body)
    assert asked.content.cases == 2
    words = model((Field(name="question", dataType="sc:Text"),), TEXT)
    read = words.read(asked)
    assert read.batch.columns["question"].tolist() == ["where?", "when?"]
    answer = json.loads(words.answer(asked, read, answers("there", None)).body)
    assert [one["text"] for one in answer["choices"]] == ["there", ""] and answer["pilotbase"] == {"abstained": [1]}
    turns = model((Field(name="messages", dataType="sc:Text"), Field(name="language", dataType="sc:Text")), TEXT)
    columns = turns.read(asked).batch.columns
    assert [json.loads(one)[0]["content"] for one in columns["messages"]] == ["where?", "when?"]
    assert columns["language"].tolist() == ["en", "en"]


@pytest.mark.parametrize("change", [lambda b: b[:-6], lambda b: b"x" + b, lambda b: b + b, lambda b: b""])
def test_a_form_that_is_cut_off_or_no_form_is_refused(change):
    body, media_type = write_form({"model": "desk"}, "a.wav", b"123\r\n--45")
    assert read_form(body, media_type)[1]["file"] == ("a.wav", b"123\r\n--45")
    with pytest.raises(WireError):
        read_form(change(body), media_type)
    with pytest.raises(WireError):
        read_form(body, "application/json")
