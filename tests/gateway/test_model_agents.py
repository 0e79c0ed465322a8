"""Agents in service that ask a model: through the same metered door as in their trial, from a real box and gateway."""

import json
import threading
from decimal import Decimal

import openai
import pytest

from pilotbase.documents.door import ModelAddress
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.texts import text
from pilotbase.documents.transcript import end_of, read_transcript
from pilotbase.operations.services import NewService
from pilotbase.sandbox.endpoints import asking
from pilotbase.sandbox.endpoints.operator import ALLOW
from pilotbase.service.admission import Premises
from pilotbase.service.creating import create_service
from pilotbase.service.draining import drain
from pilotbase.service.journal import journals_of
from pilotbase.service.registry import load_service
from pilotbase.service.standing import take_offline
from pilotbase.service.terms import list_budgets, usage_by_day
from pilotbase.worker.services.acts import dialogues_of
from pilotbase.worker.services.watching import taking
from tests.gateway.agents_for_tests import SCRIPTED, live_over, proven_agent, task
from tests.gateway.test_agents import DONE, LOOK, Caller, act_of, told
from tests.sandbox.door_client_for_tests import CLIENT
from tests.sandbox.endpoints.stubs_for_tests import Stub, serving, until
from tests.sandbox.endpoints.test_acting import calling
from tests.trial.arena.test_model_trials import open_the_door

pytestmark = pytest.mark.prove
ASKING = CLIENT + SCRIPTED.replace(
    '        if acts == "exit":',
    """        if isinstance(acts, dict):
            found = []
            for words in acts["ask"]:
                door = Door(os.environ["PILOTBASE_DOOR"])
                body = {"model": "base", "messages": [{"role": "user", "content": words}]}
                door.request("POST", "/v1/chat/completions", json.dumps(body))
                answered = door.getresponse()
                said = json.loads(answered.read())
                found.append(said["choices"][0]["message"]["content"] if answered.status == 200 else answered.status)
            acts = [{"say": json.dumps(found)}]
        if acts == "exit":""",
)
"""``{"ask": [words, …]}`` asks the model that often, and says what it answered: words, or the status."""
BUDGET = {"calls": 3, "tokens": 4000, "cost": "3"}
"""A call of the stub uses 55 tokens and costs 10."""


class Models:
    """The model of the trial, and another place of the same one."""

    def __init__(self):
        self.fault, self.slow = "", threading.Event()
        self.there = Stub(self.answer, lambda number: self.fault)
        self.moved = Stub(self.answer, lambda number: self.fault)

    def answer(self, body):
        if body["messages"][0]["content"] == "slow":
            self.slow.wait(100)
        return calling(words=f"heard {body['messages'][0]['content']}")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    keys = tmp_path_factory.mktemp("keys") / "keys.json"
    keys.touch(mode=0o600)
    models = Models()
    with pytest.MonkeyPatch.context() as patch, serving(models.there), serving(models.moved):
        named = {"@door/CARRIER": {"url": models.there.url, "key": "s3cret"}}
        keys.write_text(json.dumps({**named, "@door/MOVED": {"url": models.moved.url, "key": "m0ved"}}))
        patch.setenv("PILOTBASE_GATEWAY_ENDPOINT_KEYS_FILE", str(keys))
        patch.setenv(ALLOW, "127.0.0.1")
        patch.setattr(asking, "FIRST_WAIT_SECONDS", 0.001)
        yield models


@pytest.fixture(scope="module")
def place(models):
    with proven_agent(ASKING, change=lambda scenario: open_the_door(scenario, models.there, **BUDGET)) as place:
        yield place


live = live_over()


@pytest.fixture
def caller(place, live, name):
    return Caller(place, live, name)


@pytest.fixture(autouse=True)
def _well(models):
    yield
    models.fault = ""
    models.slow.set()
    models.slow = threading.Event()


def served(place, name, **model):
    """Put the agent into service with its model at another address."""
    premises = Premises.of_home(place.base.home.path, place.base.trust.roots())
    wanted = NewService(name=name, certificate=place.certificate, model=ModelAddress(**model))
    return create_service(place.base.lab.view, premises, wanted)


def heard(completion):
    return json.loads(completion.choices[0].message.content)


def test_calls_of_the_model_are_metered_recorded_and_paid_for(place, models, caller):
    before = len(models.there.asked)
    place.budget("all", caller.name, tokens=100_000)
    caller.key = place.key(caller.name, "all")
    caller.client = caller.client.copy(api_key=caller.key)
    first = caller.say(task({"ask": ["a", "b"]}, {"ask": ["c", "d"]}, [DONE]))
    assert heard(first) == ["heard a", "heard b"]
    assert (first.usage.prompt_tokens, first.usage.completion_tokens) == (100, 10)
    second = caller.say("More.")
    assert heard(second) == ["heard c", 429], "the budget of the dialogue is three calls"
    assert second.usage.total_tokens == 55
    assert told(caller.say("Bye."))["ended"] == "done"
    asked = models.there.asked[before:]
    assert [(one["model"], one["temperature"], one["max_tokens"]) for one in asked] == [("carrier-7b", 0, 20)] * 3
    assert models.there.headers[-1]["authorization"] == "Bearer s3cret"
    drain(place.base.lab.view, journals_of(place.base.home.path), taking(place.base))
    (dialogue,) = dialogues_of(place.base.lab.view, caller.name)
    assert (dialogue.tokens, Decimal(dialogue.cost)) == (165, Decimal("0.03"))
    used = usage_by_day(place.base.lab.view, caller.name)
    assert (sum(one.tokens for one in used), sum(one.cost for one in used)) == (165, Decimal("0.03"))
    assert {one.currency for one in used} == {"CNY"} and sum(one.calls for one in used) == 3
    (budget,) = list_budgets(place.base.lab.view, caller.name)
    assert budget.used_tokens == 165


def test_a_budget_in_money_is_reserved_for_a_dialogue_charged_by_its_calls_and_never_overspent(place, models, caller):
    place.budget("money", caller.name, cost="3.02")
    caller.key = place.key(caller.name, "money")
    caller.client = caller.client.copy(api_key=caller.key)
    for _ in range(2):
        caller.messages = []
        assert heard(caller.say(task({"ask": ["a"]}, [DONE]))) == ["heard a"]
        caller.say("Bye.")
    drain(place.base.lab.view, journals_of(place.base.home.path), taking(place.base))
    assert sum(one.cost for one in usage_by_day(place.base.lab.view, caller.name)) == Decimal("0.02")
    caller.messages = []
    with pytest.raises(openai.RateLimitError) as refused:
        while True:
            caller.messages = []
            caller.say(task({"ask": ["a"]}, [DONE]))
            caller.say("Bye.")
    assert refused.value.code == "insufficient_quota"
    (budget,) = list_budgets(place.base.lab.view, caller.name)
    assert (budget.cost, budget.currency) == (Decimal("3.02"), "CNY")
    assert budget.used_cost + budget.held_cost <= budget.cost


def test_the_transcript_holds_the_calls_and_no_words_or_keys(caller):
    caller.say(task({"ask": ["a secret", "b"]}))
    caller.say("Bye.")
    ((end, transcript),) = caller.observed()
    lines = [line for line in read_transcript(transcript) if line["kind"] == "model"]
    assert end == "answered" and [line["prompt_tokens"] for line in lines] == [50, 50]
    assert "s3cret" not in transcript and "heard b" not in json.dumps(lines)
    assert (end_of(transcript)["model_calls"], end_of(transcript)["tokens"]) == (2, 110)


def test_each_dialogue_has_a_budget_of_its_own_even_at_once(place, caller):
    found = []

    def dialogue():
        mine = caller.client.chat.completions.create(
            model=caller.name, messages=[{"role": "user", "content": task({"ask": ["x"] * 5})}]
        )
        found.append(heard(mine))

    threads = [threading.Thread(target=dialogue) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [["heard x"] * 3 + [429] * 2] * 2


def test_a_model_that_fails_is_a_503_and_the_dialogue_goes_on(models, caller):
    models.fault = "status:400"
    assert heard(caller.say(task({"ask": ["a"]}, {"ask": ["b"]}))) == [400]
    models.fault = ""
    assert heard(caller.say("Again.")) == ["heard b"]


def test_a_model_that_is_gone_ends_dialogues_in_a_stated_way_and_begins_none(place, models, caller):
    caller.say(task([LOOK], {"ask": ["a"]}))
    models.fault = "reset"
    last = caller.result({})
    if "ended" not in told(last):  # a request without an answer is a 503; a model that is gone ends it
        assert heard(last) == [503]
    with pytest.raises(openai.InternalServerError) as down:
        caller.messages = []
        caller.say(task([LOOK]))
    assert down.value.code == "gateway.model_down"
    models.fault = ""
    caller.messages = []
    assert act_of(caller.say(task([LOOK])))[0] == "look"


def test_stop_ends_an_agent_that_waits_for_its_model_and_its_tokens_are_counted(place, models, caller):
    failure = []

    def works():
        try:
            caller.say(task({"ask": ["a", "slow"]}))
        except openai.APIStatusError as error:
            failure.append(error.code)

    thread = threading.Thread(target=works)
    thread.start()
    assert until(lambda: any(one["messages"][0]["content"] == "slow" for one in models.there.asked))
    take_offline(place.base.lab.view, caller.name, text("service.reason.by_hand", reason="a test"))
    thread.join()
    assert failure == ["gateway.ended"], "long before the model answers"
    ended = []
    assert until(lambda: ended.extend(caller.observed()) or bool(ended))
    ((end, transcript),) = ended
    assert end == "cancelled" and end_of(transcript)["end"] == "stopped"
    used = usage_by_day(place.base.lab.view, caller.name)
    assert sum(one.tokens for one in used) == 55, "as many as the model has said, not the whole reservation"


def test_what_an_agent_uses_after_its_caller_left_is_paid_from_the_callers_budget(place, models, caller):
    place.budget("left", caller.name, tokens=100_000, cost="50")
    caller.key = place.key(caller.name, "left")
    caller.client = caller.client.copy(api_key=caller.key)
    caller.say(task([LOOK], {"ask": ["slow", "b"]}))
    before = len(models.there.asked)
    with pytest.raises(openai.APITimeoutError):
        caller.result({}, timeout=5)
    models.slow.set()
    assert until(lambda: len(models.there.asked) == before + 2)
    take_offline(place.base.lab.view, caller.name, text("service.reason.by_hand", reason="a test"))
    ended = []
    assert until(lambda: ended.extend(caller.observed()) or bool(ended))
    (budget,) = list_budgets(place.base.lab.view, caller.name)
    used = usage_by_day(place.base.lab.view, caller.name)
    assert (sum(one.tokens for one in used), sum(one.cost for one in used)) == (110, Decimal("0.02"))
    assert (budget.used_tokens, budget.used_cost) == (110, Decimal("0.02"))


def test_the_owner_says_where_the_model_is_and_no_other_one(place, models, live, name):
    for other in ({"model": "carrier-8b"}, {"digest": "sha256:" + "8" * 64}, {"version": "4"}):
        with pytest.raises(RefusedError) as refused:
            served(place, name, **{"url": models.moved.url, "model": "carrier-7b", **other})
        assert refused.value.code == "service.other_model"
    service = served(place, name, url=models.moved.url, model="carrier-7b", version="3", key="MOVED")
    door = service.routes[0].door
    assert (door.calls, door.sampling.max_tokens, door.model.prices.currency) == (3, 20, "CNY")
    caller = Caller.__new__(Caller)
    caller.place, caller.name, caller.messages = place, name, []
    caller.client = openai.OpenAI(base_url=f"{live.url}/v1", api_key=place.key(name), max_retries=0)
    assert heard(caller.say(task({"ask": ["a"]}))) == ["heard a"]
    assert models.moved.headers[-1]["authorization"] == "Bearer m0ved"
    served(place, name, url=models.moved.url, model="carrier-7b", key="CARRIER")
    caller.messages = []
    with pytest.raises(openai.InternalServerError) as down:
        caller.say(task([LOOK]))
    assert down.value.code == "gateway.model_down", "a key goes to no other address than its own"
    assert load_service(place.base.lab.view, name).routes[0].door.model.key == "CARRIER"


def test_an_agent_without_a_model_gets_none(name):
    with proven_agent() as place:
        with pytest.raises(RefusedError) as refused:
            served(place, name, url="http://127.0.0.1:9/v1", model="carrier-7b")
        assert refused.value.code == "service.no_model_certified"
        place.serve(name)
        with pytest.raises(InputError) as priceless:
            place.budget("money", name, cost="1")
        assert priceless.value.code == "service.no_prices"


def test_no_host_is_asked_that_the_operator_does_not_list(place, caller, monkeypatch):
    monkeypatch.delenv(ALLOW)
    with pytest.raises(openai.InternalServerError) as down:
        caller.say(task([LOOK]))
    assert down.value.code == "gateway.model_down"
