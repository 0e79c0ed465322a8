"""The Responses API by OpenAI's own client: the same services in another spelling, and no memory between requests."""

import json

import openai
import pytest

from pilotbase.documents.texts import text
from pilotbase.service.standing import ask_human
from tests.gateway.gateways_for_tests import CASE

TOOL = {"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}, "strict": False}
FILE = {"type": "input_file", "file_id": "f"}


@pytest.fixture
def model(live, place, name, endpoint):
    """Return how to ask a service over the endpoint."""
    place.endpoint(f"{endpoint.url}/v1", name)
    return asking(live, place, name)


def asking(live, place, name):
    client = openai.OpenAI(base_url=f"{live.url}/v1", api_key=place.key(name), max_retries=0)
    return lambda asked, **options: client.responses.create(model=name, input=asked, **options)


def sent(endpoint):
    return json.loads(endpoint.asked[-1][2])


def test_a_certified_application_answers(live, place, served):
    answer = asking(live, place, served)(json.dumps(CASE), instructions="ignored")
    assert json.loads(answer.output_text) == {"prediction": "broken"}
    assert (answer.status, answer.model, answer.usage.total_tokens, answer.store) == ("completed", served, 0, False)


def test_a_question_for_a_person_is_a_refusal(live, place, name):
    place.serve(name, ask_human=True)
    ask_human(place.base.lab.view, name, text("gateway.handed_over"))
    answer = asking(live, place, name)(json.dumps(CASE))
    (part,) = answer.output[0].content
    assert part.type == "refusal" and "person" in part.refusal and not answer.output_text
    assert answer.model_extra["pilotbase"] == {"handed_over": True}


def test_everything_that_chat_has_a_place_for_is_passed_on(model, endpoint):
    form = {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": True}
    seen = {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "low"}
    answer = model(
        [{"role": "user", "content": [{"type": "input_text", "text": "see"}, seen]}, {"role": "user", "content": "a"}],
        instructions="Be brief.",
        tools=[TOOL],
        tool_choice={"type": "function", "name": "look"},
        text={"format": form},
        max_output_tokens=50,
        reasoning={"effort": "low"},
        temperature=0.5,
    )
    assert answer.output_text == "said a" and answer.usage.input_tokens == 5 and answer.usage.output_tokens == 3
    function = {"name": "look", "parameters": TOOL["parameters"], "strict": False}
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"}}
    assert sent(endpoint) == {
        "model": "their-model",
        "max_tokens": 50,
        "temperature": 0.5,
        "reasoning_effort": "low",
        "response_format": {"type": "json_schema", "json_schema": {k: v for k, v in form.items() if k != "type"}},
        "tools": [{"type": "function", "function": function}],
        "tool_choice": {"type": "function", "function": {"name": "look"}},
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "see"}, image]},
            {"role": "user", "content": "a"},
        ],
    }


def test_a_call_of_a_tool_comes_out_and_its_result_goes_back(model, endpoint):
    history = [{"role": "user", "content": "call"}]
    asked = model(history, tools=[TOOL])
    (call,) = asked.output
    assert (call.type, call.name, call.call_id, call.arguments) == (
        "function_call",
        "look",
        "call-1",
        '{"room": "red"}',
    )
    history += [*asked.output, {"type": "function_call_output", "call_id": "call-1", "output": "a red room"}]
    assert model(history, tools=[TOOL]).output_text == "said a red room"
    function = {"name": "look", "arguments": '{"room": "red"}'}
    assert sent(endpoint)["messages"][1:] == [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "call-1", "type": "function", "function": function}],
        },
        {"role": "tool", "content": "a red room", "tool_call_id": "call-1"},
    ]


def test_a_stream_tells_each_item_from_its_first_piece_to_its_whole(model):
    events = list(model("call", stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert [event.type.removeprefix("response.") for event in events] == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "completed",
    ]
    last = events[-1].response
    assert last.output_text == "one " and last.output[1].arguments == '{"room": "red"}'
    assert last.usage.total_tokens == 8


def test_the_clients_own_helper_collects_a_stream(live, place, name, endpoint):
    place.endpoint(f"{endpoint.url}/v1", name)
    client = openai.OpenAI(base_url=f"{live.url}/v1", api_key=place.key(name), max_retries=0)
    with client.responses.stream(model=name, input="hello") as stream:
        said = [event.delta for event in stream if event.type == "response.output_text.delta"]
        assert (said, stream.get_final_response().output_text) == (["one ", "two ", "three"], "one two three")


def test_an_answer_in_one_piece_is_a_stream_too(live, place, served):
    *_, last = asking(live, place, served)(json.dumps(CASE), stream=True)
    assert json.loads(last.response.output_text) == {"prediction": "broken"}


@pytest.mark.parametrize("word", ["break off", "error event"])
def test_a_stream_that_breaks_off_fails_and_says_why(model, word):
    events = []
    with pytest.raises(openai.APIError, match="invalid response"):
        events.extend(model(word, stream=True))


def test_what_failed_is_told_as_an_event_too(live, place, name, endpoint):
    place.endpoint(f"{endpoint.url}/v1", name)
    client = openai.OpenAI(base_url=f"{live.url}/v1", api_key=place.key(name), max_retries=0)
    raw = client.responses.with_raw_response.create(model=name, input="break off", stream=True)
    kinds = [line for line in raw.http_response.iter_lines() if line.startswith("event: ")]
    assert kinds[-1] == "event: response.failed"


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"background": True}, "background"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0]"),
        ({"input": [{"type": "computer_call"}]}, "input[0].type"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]},
            "input[0].content[0].type",
        ),
        ({"input": []}, "input"),
        ({"input": [{"content": "x"}]}, "input[0].role"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"tools": [TOOL], "tool_choice": {"type": "file_search"}}, "tool_choice"),
        ({"instructions": ["x"]}, "instructions"),
        ({"text": {"format": {"type": "grammar"}}}, "text.format"),
        ({"max_output_tokens": -1}, "max_tokens"),
    ],
)
def test_what_needs_a_memory_or_cannot_be_passed_on_is_refused_by_name(model, options, param):
    with pytest.raises(openai.BadRequestError) as caught:
        model(options.pop("input", "x"), **options)
    assert caught.value.param == param
