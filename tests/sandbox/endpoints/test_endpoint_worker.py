"""A worker over an endpoint answers as one in a box does, and whatever goes wrong there has a reason of its own."""

import json
import math
import re
import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest
import yaml

from pilotbase.documents.application import Application, Form
from pilotbase.documents.contract import Contract, Field, Prediction
from pilotbase.documents.endpoint import Endpoint
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.limits import EndReason, IsolationLevel, Limits
from pilotbase.documents.loading import build_document
from pilotbase.documents.yaml_reader import parse_yaml
from pilotbase.protocols.frames import FeatureBatch
from pilotbase.protocols.guarded_http import GuardedHttp
from pilotbase.sandbox.box.ends import END_TEXTS, BoxEnded
from pilotbase.sandbox.box.settings import BoxSettings, LogPolicy
from pilotbase.sandbox.endpoints import asking, worker
from pilotbase.sandbox.endpoints.calls import CallLog, read_calls
from pilotbase.sandbox.endpoints.worker import EndpointAccess, EndpointWorker
from tests.sandbox.endpoints.stubs_for_tests import Stub, chatting, nobody, serving, tabular, until
from tests.trial.conftest import MANIFEST

PRESSURE = {"template": "Pressure {pressure}, age {age}: broken or fine?"}
LIMITS = Limits(batch_seconds=60, load_seconds=60, wall_seconds=120)


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch):
    monkeypatch.setattr(asking, "FIRST_WAIT_SECONDS", 0.01)


def contract(kind="value", classes=(), **more) -> Contract:
    features = (Field(name="pressure", dataType="sc:Float"), Field(name="age", dataType="sc:Integer"))
    return Contract(features=features, prediction=Prediction(kind=kind, classes=classes, **more))


LABELS_KNOWN = ("fine", "broken")
LABELS = contract("label", LABELS_KNOWN)


def batch(rows: int = 6) -> FeatureBatch:
    return FeatureBatch({"pressure": np.arange(rows, dtype=float) * 2, "age": np.arange(rows)}, rows)


@contextmanager
def asked_of(stub, endpoint, contract=LABELS, policy=LogPolicy.FULL, log=None, limits=LIMITS, key=None):
    """Open a worker of ``endpoint`` to which loopback is listed."""
    settings = BoxSettings(limits=limits, logs=policy)
    access = EndpointAccess(GuardedHttp(("127.0.0.1",)), key)
    with log or CallLog(None, b"") as calls, EndpointWorker(
        Endpoint(**endpoint), contract, settings, access, calls
    ) as opened:  # fmt: skip
        yield opened


def alarm(pressure, age):
    return "broken" if pressure > 6 else "fine"


@pytest.mark.parametrize(
    ("kind", "model", "datatype", "expected"),
    [
        ("label", alarm, "BYTES", [0, 0, 0, 0, 1, 1]),
        ("label", lambda pressure, age: "" if age == 0 else "fine", "BYTES", [-1, 0, 0, 0, 0, 0]),
        ("probability", lambda pressure, age: pressure / 10, "FP64", [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        ("probability", lambda pressure, age: 1.000001, "FP32", [1.0] * 6),
        ("value", lambda pressure, age: 100 * pressure + age, "FP64", [0, 201, 402, 603, 804, 1005]),
        ("text", lambda pressure, age: f"{age} d", "BYTES", [f"{age} d" for age in range(6)]),
    ],
)
def test_a_batch_is_one_call_of_open_inference(kind, model, datatype, expected):
    classes = ("fine", "broken") if kind in ("label", "probability") else ()
    asked = contract(kind, classes, positive="broken" if classes else None)
    with serving(Stub(tabular(model, datatype))) as stub, asked_of(stub, stub.endpoint(version="7"), asked) as opened:
        answers = opened.predict(batch()).values
        assert answers.tolist() == pytest.approx(expected) if kind != "text" else answers.tolist() == expected
        assert stub.paths == ["/v2/models/alarm/versions/7/infer"]
        assert [(one["name"], one["datatype"]) for one in stub.asked[0]["inputs"]] == [
            ("pressure", "FP64"),
            ("age", "INT64"),
        ]
        assert opened.use().served == ("alarm 7",)


@pytest.mark.parametrize("name", ["model", "system_fingerprint"])
def test_a_name_that_nothing_can_write_is_on_record_all_the_same(name, tmp_path):
    """Half a letter there ended the run in no words, and the call that was made stood nowhere."""
    say = chatting(lambda words: "fine")
    log = CallLog(tmp_path / "calls.log", b"plan", b"key")
    with serving(Stub(lambda body: {**say(body), name: "al\ud800rm"})) as stub, asked_of(
        stub, stub.endpoint("openai_chat", prompt=PRESSURE), log=log
    ) as opened:  # fmt: skip
        assert opened.predict(batch(2)).values.tolist() == [0, 0]
        assert "al?rm" in opened.use().served[0]
    assert len(read_calls(tmp_path / "calls.log", b"plan", log.digest, b"key")) == 2


def test_open_inference_gives_a_probability_for_each_class_by_their_names():
    data = [0.9, 0.1] * 5 + [math.nan, 1.0]
    answer = {"outputs": [{"name": "scores", "datatype": "FP64", "shape": [6, 2], "data": data}]}
    asked = contract("probabilities", ("fine", "broken"))
    with serving(Stub(lambda body: answer)) as stub, asked_of(stub, stub.endpoint(), asked) as opened:
        assert opened.predict(batch()).values.tolist() == ['{"broken": 0.9, "fine": 0.1}'] * 5 + [None]


def test_open_inference_takes_a_matrix_and_gives_scores_of_classes_by_their_names():
    def answer(body):
        (matrix,) = body["inputs"]
        assert (matrix["name"], matrix["shape"], matrix["data"][:4]) == ("x", [6, 2], [0.0, 0.0, 2.0, 1.0])
        scores = [score for row in range(6) for score in ([0.9, 0.1] if row > 3 else [0.2, 0.8])]
        return {"outputs": [{"name": "scores", "datatype": "FP32", "shape": [6, 2], "data": scores}]}

    with serving(Stub(answer)) as stub, asked_of(stub, stub.endpoint(input="x", output="scores")) as opened:
        assert opened.predict(batch()).labels(("fine", "broken")) == ["fine"] * 4 + ["broken"] * 2
        assert stub.asked[0]["outputs"] == [{"name": "scores"}]


@pytest.mark.parametrize("protocol", ["openai_chat", "openai_completions"])
def test_a_case_is_one_question_in_words_with_the_frozen_prompt_around_it(protocol):
    prompt = {
        "system": "Answer in one word.",
        "template": "Pressure {pressure}, age {age}: {{broken}} or {{fine}}?",
        "examples": [{"question": "Pressure 9.0", "answer": "broken"}],
        "sampling": {"temperature": 0, "max_tokens": 3, "seed": 1},
    }

    def say(question):
        pressure = float(re.findall(r"Pressure ([0-9.]+),", question)[-1])
        return "**Broken**" if pressure == 4 else f"**{alarm(pressure, 0)}**."

    with serving(Stub(chatting(say))) as stub, asked_of(stub, stub.endpoint(protocol, prompt=prompt)) as opened:
        answers = opened.predict(batch()).labels(("fine", "broken"))
        use = opened.use()
    assert answers == ["fine", "fine", None, "fine", "broken", "broken"]
    assert (use.calls, use.unread, use.unanswered, use.served) == (6, 1, 0, ("alarm-2026 fp_1",))
    assert (use.prompt_tokens, use.completion_tokens) == (600, 60)
    body = next(one for one in stub.asked if "2.0" in str(one.get("messages") or one["prompt"]))
    assert (body["model"], body["temperature"], body["max_tokens"], body["seed"]) == ("alarm", 0, 3, 1)
    question = "Pressure 2.0, age 1: {broken} or {fine}?"
    if protocol == "openai_chat":
        assert [one["role"] for one in body["messages"]] == ["system", "user", "assistant", "user"]
        assert body["messages"][-1]["content"] == question
    else:
        assert body["prompt"] == f"Answer in one word.\n\nPressure 9.0broken\n\n{question}"


def embedding(body):
    """Return a vector for each text that points where its first words do."""
    ways = {"fine": [1.0, 0.0], "broken": [0.1, 1.0]}
    vectors = [ways.get(words.split()[0], [0.0, 0.0]) for words in body["input"]]
    data = [{"index": place, "embedding": vector} for place, vector in enumerate(vectors)]
    return {"model": "e-1", "data": list(reversed(data)), "usage": {"prompt_tokens": 7, "total_tokens": 7}}


@pytest.mark.parametrize(
    ("kind", "expected"), [("label", [1, 0, -1]), ("ranking", ['["broken", "fine"]', '["fine", "broken"]', None])]
)
def test_embeddings_answer_with_the_class_that_lies_nearest(kind, expected):
    asked = Contract(
        features=(Field(name="report", dataType="sc:Text"),), prediction=Prediction(kind=kind, classes=LABELS_KNOWN)
    )
    nearest = {"template": "{report}", "texts": {"broken": "broken down"}}
    rows = FeatureBatch({"report": np.array(["broken seal", "fine so far", "?"], dtype=object)}, 3)
    with serving(Stub(embedding)) as stub:
        with asked_of(stub, stub.endpoint("openai_embeddings", nearest=nearest), asked) as opened:
            assert opened.predict(rows).values.tolist() == expected
            assert (opened.use().unread, opened.use().prompt_tokens, opened.use().served) == (1, 7, ("e-1",))
        assert stub.paths == ["/embeddings"]
        assert stub.asked[0]["input"] == ["fine", "broken down", "broken seal", "fine so far", "?"]


def test_embeddings_answer_with_how_near_two_texts_lie():
    asked = Contract(
        features=(Field(name="report", dataType="sc:Text"), Field(name="other", dataType="sc:Text")),
        prediction=Prediction(kind="value"),
    )
    nearest = {"template": "{report}", "against": "{other}"}
    count = 40
    pairs = [("fine", "fine day"), ("fine", "broken"), ("?", "fine"), ("broken seal", "broken")]
    columns = [np.array([pairs[i % 4][side] for i in range(count)], dtype=object) for side in (0, 1)]
    rows = FeatureBatch(dict(zip(("report", "other"), columns, strict=True)), count)
    with serving(Stub(embedding)) as stub:
        with asked_of(stub, stub.endpoint("openai_embeddings", nearest=nearest), asked) as opened:
            near = opened.predict(rows).values
            assert opened.use().unread == count / 4
        assert sorted(len(one["input"]) for one in stub.asked) == [16, 64], "32 pairs a call"
    assert np.allclose(near[:4], [1, 0.1 / np.hypot(0.1, 1), np.nan, 1], equal_nan=True)
    assert np.array_equal(near, np.tile(near[:4], count // 4), equal_nan=True)


@pytest.mark.parametrize(
    "change", [{"kind": "value"}, {"against": "{age}"}, {"texts": {"melted": "melted"}}, {"template": "{speed}"}]
)
def test_embeddings_that_do_not_fit_are_told_before_anything_is_sent(change):
    kind = change.pop("kind", "label")
    nearest = {"template": "{pressure}", **change}
    stub = Stub(embedding)
    asked = contract(kind, LABELS_KNOWN if kind == "label" else ())
    with (
        serving(stub),
        pytest.raises(BoxEnded) as ended,
        asked_of(stub, stub.endpoint("openai_embeddings", nearest=nearest), asked),
    ):
        pass
    assert ended.value.reason is EndReason.MODEL_MISFIT and not stub.connections


FAULTS = {
    "hang": EndReason.ENDPOINT_TIMEOUT,
    "drip": EndReason.ENDPOINT_TIMEOUT,
    "busy": EndReason.ENDPOINT_BUSY,
    "busy:60": EndReason.ENDPOINT_BUSY,
    "status:503": EndReason.ENDPOINT_BUSY,
    "status:401": EndReason.ENDPOINT_REFUSED,
    "status:403": EndReason.ENDPOINT_REFUSED,
    "status:404": EndReason.ENDPOINT_REFUSED,
    "status:500": EndReason.ENDPOINT_REFUSED,
    "half": EndReason.ENDPOINT_BROKEN_ANSWER,
    "schema": EndReason.ENDPOINT_BROKEN_ANSWER,
    "html": EndReason.ENDPOINT_BROKEN_ANSWER,
    "redirect": EndReason.ENDPOINT_REDIRECT,
    "redirect:https://other.example/": EndReason.ENDPOINT_REDIRECT,
    "large": EndReason.OVERSIZED_ANSWER,
    "reset": EndReason.ENDPOINT_UNREACHABLE,
}


@pytest.mark.one_in(3)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("protocol", ["open_inference", "openai_chat", "openai_embeddings"])
def test_each_fault_ends_with_its_own_reason_in_time(fault, protocol):
    stub = Stub(lambda body: {}, lambda number: "" if number < 0 else fault)
    more = {"openai_chat": {"prompt": PRESSURE}, "openai_embeddings": {"nearest": {"template": "{age}"}}}
    with serving(stub), asked_of(stub, stub.endpoint(protocol, timeout=0.3, **more.get(protocol, {}))) as opened:
        began = time.monotonic()
        with pytest.raises(BoxEnded) as ended:
            opened.predict(batch(2))
        assert ended.value.reason is FAULTS[fault], ended.value.detail
        assert time.monotonic() - began < 30
        with pytest.raises(BoxEnded):
            opened.predict(batch(2))
        assert opened.use().unanswered >= 1
        assert not any("169.254" in path for path in stub.paths)


def test_every_reason_is_told_with_what_to_do_in_both_languages():
    for reason in {*FAULTS.values()}:
        for language in ("en", "zh"):
            assert END_TEXTS[reason].render(language)
            assert BoxEnded(worker.BoxEnd(reason, 1, "")).hint.render(language)


@pytest.mark.parametrize("fault", ["status:401", "status:404", "redirect", "busy:60", "hang"])
def test_an_endpoint_that_is_not_there_is_told_before_any_case_is_sent(fault):
    stub = Stub(tabular(alarm, "BYTES"), lambda number: fault)
    with serving(stub), pytest.raises(BoxEnded) as ended, asked_of(stub, stub.endpoint(timeout=0.3)):
        pass
    assert ended.value.reason is FAULTS[fault]
    assert stub.asked == []


def test_nobody_at_the_address_is_told_before_any_case_is_sent():
    stub = Stub(lambda body: {})
    stub.url = nobody()
    with pytest.raises(BoxEnded) as ended, asked_of(stub, stub.endpoint()):
        pass
    assert ended.value.reason is EndReason.ENDPOINT_UNREACHABLE


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ({"datatype": "BYTES", "shape": [2], "data": ["fine", "melted"]}, EndReason.UNKNOWN_CLASS),
        ({"datatype": "BYTES", "shape": [1], "data": ["fine"]}, EndReason.WRONG_COUNT),
        ({"datatype": "FP64", "shape": [2, 3], "data": [0.0] * 6}, EndReason.WRONG_COUNT),
        ({"datatype": "BYTES", "shape": [2], "data": ["fine"]}, EndReason.ENDPOINT_BROKEN_ANSWER),
    ],
)
def test_answers_that_break_the_contract_end_it_as_those_of_a_box_do(output, reason):
    stub = Stub(lambda body: {}, lambda number: "" if number < 0 else f"raw:{json.dumps(output)}")
    with serving(stub), asked_of(stub, stub.endpoint()) as opened, pytest.raises(BoxEnded) as ended:
        opened.predict(batch(2))
    assert ended.value.reason is reason


@pytest.mark.parametrize("value", [1.5, -0.2])
def test_a_probability_out_of_range_ends_it(value):
    asked = contract("probability", ("fine", "broken"), positive="broken")
    stub = Stub(tabular(lambda pressure, age: value))
    with serving(stub), asked_of(stub, stub.endpoint(), asked) as opened, pytest.raises(BoxEnded) as ended:
        opened.predict(batch(2))
    assert ended.value.reason is EndReason.OUT_OF_RANGE


@pytest.mark.parametrize("fault", ["status:503", "status:500", "reset", "half", "html", "busy:0"])
def test_what_may_go_better_is_asked_again_and_counted(fault):
    stub = Stub(tabular(alarm, "BYTES"), lambda number: fault if number == 0 else "")
    with serving(stub), asked_of(stub, stub.endpoint()) as opened:
        assert opened.predict(batch()).values.tolist() == [0, 0, 0, 0, 1, 1]
        use = opened.use()
    assert (use.calls, use.attempts, use.unanswered) == (1, 2, 0)


def test_it_waits_as_long_as_it_is_told():
    stub = Stub(tabular(alarm, "BYTES"), lambda number: "busy:1" if number == 0 else "")
    with serving(stub), asked_of(stub, stub.endpoint(), limits=Limits(batch_seconds=5)) as opened:
        began = time.monotonic()
        opened.predict(batch())
        assert time.monotonic() - began >= 1


def test_a_question_without_an_answer_abstains_and_five_in_a_row_end_the_run():
    prompt = {"template": "age {age}"}
    refused = {"age 2"}
    stub = Stub(chatting(lambda question: "fine"))
    stub.fault = lambda number: (
        "status:400" if number >= 0 and stub.asked[number]["messages"][-1]["content"] in refused else ""
    )
    with serving(stub), asked_of(stub, stub.endpoint("openai_chat", prompt=prompt, in_flight=1)) as opened:
        assert opened.predict(batch()).values.tolist() == [0, 0, -1, 0, 0, 0]
        refused |= {f"age {age}" for age in range(5)}
        with pytest.raises(BoxEnded) as ended:
            opened.predict(batch())
        assert ended.value.reason is EndReason.ENDPOINT_REFUSED
        assert opened.use().unanswered == 6


def test_calls_keep_to_the_rate_and_share_few_connections():
    endpoint = {"prompt": PRESSURE, "calls_per_second": 20, "in_flight": 3}
    with serving(Stub(chatting(lambda question: "fine"))) as stub:
        with asked_of(stub, stub.endpoint("openai_chat", **endpoint)) as opened:
            began = time.monotonic()
            opened.predict(batch(11))
            assert time.monotonic() - began >= 0.5
        assert stub.connections <= 3


def test_a_connection_that_was_closed_while_idle_is_made_anew_and_no_retry_is_counted():
    stub = Stub(tabular(alarm, "BYTES"), lambda number: "")
    with serving(stub), asked_of(stub, stub.endpoint()) as opened:
        opened.predict(batch())
        opened._connections[0].abort()
        opened.predict(batch())
        assert opened.use().attempts == 2


def test_a_predict_under_way_is_cancelled_from_another_thread():
    stub = Stub(lambda body: {}, lambda number: "" if number < 0 else "hang")
    with serving(stub), asked_of(stub, stub.endpoint(), limits=Limits()) as opened:
        threading.Thread(target=lambda: until(lambda: bool(stub.asked)) and opened.cancel()).start()
        began = time.monotonic()
        with pytest.raises(BoxEnded) as ended:
            opened.predict(batch())
        assert ended.value.reason is EndReason.CANCELLED
        assert time.monotonic() - began < 60, "the endpoint hangs for ever"


def test_the_whole_has_a_wall_limit():
    stub = Stub(lambda body: {}, lambda number: "" if number < 0 else "hang")
    limits = Limits(batch_seconds=10, wall_seconds=0.5)
    with serving(stub), asked_of(stub, stub.endpoint(), limits=limits) as opened, pytest.raises(BoxEnded) as ended:
        opened.predict(batch())
    assert ended.value.reason is EndReason.WALL_LIMIT


def test_a_secret_key_is_shown_to_the_endpoint_and_stands_nowhere_else(tmp_path):
    secret = "sk-very-secret"

    def echo(body):
        return {"outputs": [], "seen": stub.headers[-1]["authorization"]}

    with serving(Stub(echo)) as stub:
        log = CallLog(tmp_path / "calls", b"plan")
        with asked_of(stub, stub.endpoint(), log=log, key=secret) as opened, pytest.raises(BoxEnded) as ended:
            opened.predict(batch())
        said = opened.logs().text + ended.value.detail + str(ended.value) + repr(opened._line)
        assert stub.headers[0]["authorization"] == f"Bearer {secret}"
        assert "seen" in opened.logs().text
    assert secret not in said and secret.encode() not in (tmp_path / "calls").read_bytes()


@pytest.mark.parametrize("status", ["403", "500", "200"])
def test_an_endpoint_that_repeats_the_key_does_not_bring_it_into_a_reason(status, tmp_path):
    secret = "sk-very-secret"
    stub = Stub(lambda body: {}, lambda number: "" if number < 0 else f"echo:{status}")
    with serving(stub), asked_of(stub, stub.endpoint(), key=secret) as opened:
        with pytest.raises(BoxEnded) as ended:
            opened.predict(batch())
        assert "sk-" not in ended.value.detail + opened.logs().text
        assert "Bearer" in opened.logs().text


def test_logs_of_hidden_cases_are_withheld():
    with serving(Stub(tabular(alarm, "BYTES"))) as stub:
        with asked_of(stub, stub.endpoint(), policy=LogPolicy.WITHHELD) as opened:
            opened.predict(batch())
            assert opened.logs().text == ""
        with asked_of(stub, stub.endpoint()) as opened:
            opened.predict(batch())
            assert '"pressure"' in opened.logs().text and '"broken"' in opened.logs().text


def test_every_request_is_a_record_and_cost_is_counted_exactly(tmp_path):
    prices = {"currency": "CNY", "prompt": 0.002, "completion": 0.008, "call": 0.0001}
    stub = Stub(chatting(lambda question: "fine"), lambda number: "status:500" if number == 1 else "")
    with serving(stub):
        endpoint = stub.endpoint("openai_chat", prompt=PRESSURE, prices=prices, in_flight=1)
        log = CallLog(tmp_path / "calls", b"plan", b"key")
        with asked_of(stub, endpoint, log=log) as opened:
            opened.predict(batch(4))
            use = opened.use()
    calls = read_calls(tmp_path / "calls", b"plan", use.records, b"key")
    assert [(one.number, one.attempt, one.status, one.final) for one in calls][:3] == [
        (0, 1, 200, True), (1, 1, 500, False), (1, 2, 200, True),
    ]  # fmt: skip
    assert len(calls) == use.attempts == 5
    assert str(use.cost) == "0.001520000" and str(use.cost_per_thousand) == "0.380000000" and use.currency == "CNY"


def test_there_is_no_box_and_nothing_is_said_of_what_it_uses():
    with serving(Stub(tabular(alarm, "BYTES"))) as stub, asked_of(stub, stub.endpoint()) as opened:
        assert (opened.facts.level, opened.facts.start) == (IsolationLevel.L0, "endpoint")
        assert opened.running and opened.end is None
        opened.close()
        assert not opened.running and opened.end.reason is EndReason.FINISHED


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"prompt": {"template": "{pressure!r} {age}"}}, "endpoint.prompt.template"),
        ({"prompt": {"template": "{0} {}"}}, "endpoint.prompt.template"),
        ({"prompt": {"template": "x", "answer": {"read": "regex"}}}, "endpoint.prompt.answer.pattern"),
        ({"prompt": {"template": "x", "answer": {"field": "a"}}}, "endpoint.prompt.answer.field"),
        ({"prompt": None}, "endpoint.prompt"),
        ({"nearest": {"template": "x"}}, "endpoint.nearest"),
        ({"input": "x"}, "endpoint.input"),
        ({"period": {"since": "2026-02-01", "until": "2026-01-01"}}, "endpoint.period.until"),
        ({"url": "http://user:secret@host/"}, "endpoint.url"),
    ],
)
def test_what_is_wrong_with_the_part_endpoint_is_told_at_its_field(change, path):
    endpoint = {**Stub(lambda body: {}).endpoint("openai_chat", prompt=PRESSURE, url="https://host/v1"), **change}
    manifest = {**yaml.safe_load(MANIFEST.format(name="alarm", supplier="acme")), "runtime": "endpoint"}
    written = yaml.safe_dump({**manifest, "endpoint": {key: one for key, one in endpoint.items() if one is not None}})
    with pytest.raises(InputError) as found:
        build_document(Application, parse_yaml(written.encode(), "application.yaml"))
    assert [issue.path for issue in found.value.issues] == [path], found.value.render()
    assert found.value.render("zh")


def test_a_template_that_names_no_feature_ends_before_anything_is_sent():
    stub = Stub(lambda body: {})
    with (
        serving(stub),
        pytest.raises(BoxEnded) as ended,
        asked_of(stub, stub.endpoint("openai_chat", prompt={"template": "{speed}"})),
    ):
        pass
    assert ended.value.reason is EndReason.MODEL_MISFIT and "speed" in ended.value.detail
    assert not stub.paths


def test_a_private_address_is_denied_unless_it_is_listed():
    stub = Stub(tabular(alarm, "BYTES"))
    with serving(stub), CallLog(None, b"") as log, pytest.raises((RefusedError, BoxEnded)) as refused:
        EndpointWorker(
            Endpoint(**stub.endpoint()), LABELS, BoxSettings(limits=LIMITS), EndpointAccess(GuardedHttp()), log
        )
    assert refused.value.reason is EndReason.ENDPOINT_REFUSED
    assert stub.connections == 0


def test_a_form_of_an_endpoint_is_loaded_in_no_box():
    endpoint = Stub(lambda body: {}).endpoint(url="https://host")
    assert Form(runtime="endpoint", endpoint=endpoint).endpoint.protocol == "open_inference"
