"""What a language model is asked with is part of the version: another prompt is another application and plan."""

import pytest

from pilotbase.catalogue.applications import read_application
from pilotbase.sandbox.endpoints.operator import ALLOW
from pilotbase.worker.trials.proving import freeze_in
from tests.sandbox.endpoints.stubs_for_tests import Stub, chatting, serving
from tests.trial.endpoints_for_tests import may_leave, writing_endpoint
from tests.trial.test_endpoint_trials import PROMPT, say

CHANGES = {
    "template": {**PROMPT, "template": f"{PROMPT['template']} 请作答。"},
    "system": {**PROMPT, "system": "You watch pumps."},
    "few-shot": {**PROMPT, "examples": [{"question": "Pressure 9 bar. Broken or fine?", "answer": "broken"}]},
    "sampling": {**PROMPT, "sampling": {"temperature": 0.7, "max_tokens": 2}},
    "seed": {**PROMPT, "sampling": {"temperature": 0, "max_tokens": 2, "seed": 7}},
    "reading": {**PROMPT, "answer": {"read": "first_line"}},
}


@pytest.fixture
def chat(monkeypatch):
    monkeypatch.setenv(ALLOW, "127.0.0.1")
    with serving(Stub(chatting(say))) as served:
        yield served


def test_whatever_changes_in_the_prompt_changes_the_application_and_its_plan(base, write_scenario, tmp_path, chat):
    def written(name, prompt):
        place = tmp_path / name
        place.mkdir()
        return writing_endpoint(place)(chat.endpoint("openai_chat", prompt=prompt, in_flight=8))

    folders = {"as it is": written("first", PROMPT), **{name: written(name, one) for name, one in CHANGES.items()}}
    digests = {name: read_application(folder).digest for name, folder in folders.items()}
    assert len(set(digests.values())) == len(digests)
    scenario = write_scenario(rows=200, cases=40, change=may_leave)
    plans = [freeze_in(base, scenario, folders[name]) for name in ("as it is", "few-shot")]
    assert [plan.application.digest for plan in plans] == [digests["as it is"], digests["few-shot"]]
    assert plans[0].scenario == plans[1].scenario and plans[0].digest() != plans[1].digest()
    assert freeze_in(base, scenario, written("again", PROMPT)) == plans[0], "the same words are the same version"
