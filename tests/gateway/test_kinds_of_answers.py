"""Applications of every kind of answer in both protocols: what is spelled is BYTES, who speaks is spoken with."""

import json

import numpy as np
import pytest

from pilotbase.documents.contract import Contract, Field, Prediction
from pilotbase.gateway.upstreams.tabular import TabularModel
from pilotbase.protocols.contract_cases import ContractBrokenError
from pilotbase.protocols.contract_tensors import output_metadata
from pilotbase.protocols.frames import AnswerBatch
from pilotbase.protocols.open_inference import InferRequest, texts_tensor
from pilotbase.protocols.openai_wire import read_chat_request
from pilotbase.protocols.upstream import UpstreamCall

QUESTION = Field(name="question", dataType="sc:Text")


def model(kind, *more):
    prediction = Prediction(kind=kind, classes=("leak",) if kind in ("labels", "boxes") else ())
    return TabularModel(Contract(features=(QUESTION, *more), prediction=prediction), frozenset(), "sha256:0")


def chat(said, stream=False):
    fields = {"model": "desk", "stream": stream, "messages": [{"role": "user", "content": said}]}
    body = json.dumps(fields).encode()
    return UpstreamCall("c1", "desk", body, read_chat_request(body), 1_800_000_000)


def infer(*said):
    request = InferRequest(None, (texts_tensor("question", list(said), (len(said),)),), (), False)
    return UpstreamCall("c1", "desk", b"", request, 1_800_000_000)


def answers(*values):
    return AnswerBatch(np.array(values, dtype=object))


def content(reply):
    return json.loads(reply.body)["choices"][0]["message"]


def test_who_answers_one_text_with_another_is_spoken_with():
    desk, question = model("text"), chat('{"question": "泵在哪里?"}')
    asked = desk.read(question)
    assert asked.batch.columns["question"].tolist() == ['{"question": "泵在哪里?"}']
    reply = desk.answer(question, asked, answers("在二号厂房。"))
    assert content(reply)["content"] == "在二号厂房。" and reply.cases.answers == ["在二号厂房。"]
    streamed = desk.answer(chat("?", stream=True), asked, answers("yes"))
    assert b'"content": "yes"' in streamed.body or b'"content":"yes"' in streamed.body


def test_who_abstains_has_answered_and_hands_nothing_over():
    desk, question = model("text"), chat("where?")
    reply = desk.answer(question, desk.read(question), answers(None))
    assert not reply.handed_over
    assert content(reply)["content"] is None and "abstains" in content(reply)["refusal"]
    assert "pilotbase" not in json.loads(reply.body)


def test_with_more_than_one_field_a_chat_message_is_json():
    desk = model("text", Field(name="site", dataType="sc:Text"))
    question = chat('{"question": "where?", "site": "north"}')
    reply = desk.answer(question, desk.read(question), answers("there"))
    assert json.loads(content(reply)["content"]) == {"prediction": "there"}


TURNS = [
    {"role": "developer", "content": "orders: R7"},
    {"role": "user", "content": "Order R7."},
    {"role": "assistant", "content": "What about it?"},
    {"role": "user", "content": [{"type": "text", "text": "Where is it?"}]},
]


def desk_of_turns():
    fields = (Field(name="messages", dataType="sc:Text"), Field(name="language", dataType="sc:Text"))
    return TabularModel(Contract(features=fields, prediction=Prediction(kind="text")), frozenset(), "sha256:0")


def talk(messages, **more):
    body = json.dumps({"model": "desk", "messages": messages, **more}).encode()
    return UpstreamCall("c1", "desk", body, read_chat_request(body), 1_800_000_000)


@pytest.mark.parametrize("more", [{"metadata": {"language": "en"}}, {"pilotbase": {"inputs": {"language": "en"}}}])
def test_a_dialogue_is_given_every_turn_and_answers_in_words(more):
    desk, question = desk_of_turns(), talk(TURNS, **more)
    asked = desk.read(question)
    assert json.loads(asked.batch.columns["messages"][0]) == [
        {"role": "system", "content": "orders: R7"},
        {"role": "user", "content": "Order R7."},
        {"role": "assistant", "content": "What about it?"},
        {"role": "user", "content": "Where is it?"},
    ]
    assert asked.batch.columns["language"].tolist() == ["en"]
    assert content(desk.answer(question, asked, answers("On its way.")))["content"] == "On its way."


def test_what_else_a_dialogue_needs_is_asked_for_by_name():
    with pytest.raises(ContractBrokenError) as caught:
        desk_of_turns().read(talk(TURNS))
    assert [issue.path for issue in caught.value.issues] == ["language"]


def test_cases_of_a_dialogue_in_json_are_cases():
    case = {"messages": json.dumps(TURNS[1:2]), "language": "en"}
    desk, question = desk_of_turns(), talk([{"role": "user", "content": json.dumps([case, case])}])
    reply = desk.answer(question, desk.read(question), answers("a", "b"))
    assert json.loads(content(reply)["content"]) == [{"prediction": "a"}, {"prediction": "b"}]
    said = talk([{"role": "user", "content": "[]"}], metadata={"language": "en"})
    assert json.loads(desk.read(said).batch.columns["messages"][0]) == [{"role": "user", "content": "[]"}]


@pytest.mark.parametrize(
    ("kind", "given", "spelled"),
    [
        ("text", answers("there", None), ["there", ""]),
        ("labels", answers('["leak"]', "[]"), ['["leak"]', "[]"]),
        ("boxes", answers('[["leak", 0, 0, 1, 1, 0.5]]', None), ['[["leak", 0, 0, 1, 1, 0.5]]', ""]),
        ("interval", AnswerBatch(np.array([[1.0, 2.0], [3.0, 4.5]])), [1.0, 2.0, 3.0, 4.5]),
    ],
)
def test_a_tensor_holds_what_is_spelled_and_both_ends_of_an_interval(kind, given, spelled):
    served, question = model(kind), infer("a", "b")
    reply = served.answer(question, served.read(question), given)
    (tensor,) = json.loads(reply.body)["outputs"]
    (described,) = output_metadata(served.contract.prediction)
    assert (tensor["datatype"], len(tensor["shape"])) == (described.datatype, len(described.shape))
    assert tensor["data"] == spelled
    assert len(reply.cases.answers) == 2
