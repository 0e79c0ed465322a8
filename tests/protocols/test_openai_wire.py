"""Messages of the OpenAI API, and streams of them cut anywhere."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from pilotbase.protocols.openai_tasks import read_embedding_request
from pilotbase.protocols.openai_wire import (
    DEFAULT_MOST_TOKENS,
    MAXIMUM_EVENT_BYTES,
    StreamMeter,
    TokenUsage,
    event_of,
    most_prompt_tokens,
    read_chat_request,
    read_usage,
)
from pilotbase.protocols.strict_json import WireError

USAGE = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}


def asked(**fields):
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": "hello"}], **fields}).encode()


def test_what_is_reserved_bounds_all_answers_together():
    assert read_chat_request(asked()).most_tokens == DEFAULT_MOST_TOKENS
    assert not read_chat_request(asked()).bounded
    assert read_chat_request(asked(max_tokens=10, n=3)).most_tokens == 30
    assert read_chat_request(asked(max_completion_tokens=7, max_tokens=10)).most_tokens == 7
    assert most_prompt_tokens(100, 2) >= 100


def test_the_question_is_the_last_message_of_the_user():
    messages = [
        {"role": "user", "content": "first"},
        {
            "role": "user",
            "content": [{"type": "text", "text": "a"}, {"type": "image_url"}, {"type": "text", "text": "b"}],
        },
        {"role": "assistant", "content": "no"},
    ]
    assert read_chat_request(asked(messages=messages)).question == "ab"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"model": ""}, "model"),
        ({"model": 7}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": ["hello"]}, "messages"),
        ({"stream": "yes"}, "stream"),
        ({"stream": True, "stream_options": {"include_usage": 1}}, "include_usage"),
        ({"n": 0}, "n"),
        ({"n": True}, "n"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": 10**12}, "max_tokens"),
    ],
)
def test_what_the_protocol_does_not_allow_is_told_by_its_field(fields, field):
    with pytest.raises(WireError) as caught:
        read_chat_request(asked(**fields))
    assert caught.value.field == field


def test_embeddings_need_an_input():
    assert read_embedding_request(b'{"model": "m", "input": ["a"]}').model == "m"
    with pytest.raises(WireError):
        read_embedding_request(b'{"model": "m", "input": ""}')


@pytest.mark.parametrize("usage", [None, 7, {"prompt_tokens": -1}, {"prompt_tokens": True}, {"prompt_tokens": 10**9}])
def test_usage_that_cannot_be_is_none(usage):
    assert read_usage({"usage": usage}) is None


def stream(usage=True, end=True):
    chunks = [{"choices": [{"delta": {"content": piece}}], "usage": None} for piece in ("one ", "two ", "三")]
    told = [{"choices": [], "usage": USAGE}] if usage else []
    events = [event_of(json.dumps(one, ensure_ascii=False).encode()) for one in [*chunks, *told]]
    return b": hello\n\n" + b"".join(events) + (event_of(b"[DONE]") if end else b"")


@given(some.lists(some.integers(1, len(stream()) - 1), max_size=8).map(sorted), some.booleans())
def test_a_stream_cut_anywhere_is_passed_on_whole_and_metered(cuts, show):
    whole, meter, passed = stream(), StreamMeter(show), b""
    for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        passed += meter.feed(whole[start:end])
    passed += meter.finish()
    assert meter.ended
    assert meter.usage == TokenUsage(5, 3)
    assert meter.said_bytes == len("one two 三".encode())
    assert passed == (whole if show else stream(usage=False))


def test_a_stream_without_an_end_is_known_to_have_none():
    meter = StreamMeter(show_usage=True)
    meter.feed(stream(end=False).replace(b"\n", b"\r\n"))
    assert (meter.ended, meter.usage) == (False, TokenUsage(5, 3))


def test_an_event_without_an_end_is_not_kept_for_ever():
    meter = StreamMeter(show_usage=True)
    with pytest.raises(WireError):
        meter.feed(b"x" * (MAXIMUM_EVENT_BYTES + 1))
