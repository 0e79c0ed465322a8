"""An exposure at the gateway: once what was granted is decided, the next call is refused, or handed to a person."""

import json

import openai
import pytest

from pilotbase.operations.services import NewExposure
from pilotbase.service.terms import grant_exposure, tell_exposure
from tests.gateway.gateways_for_tests import CASE


@pytest.fixture
def asked(live, place, name, endpoint):
    """Ask a service without a scenario, which shares its exposure with no other."""
    place.endpoint(f"{endpoint.url}/v1", name)
    client = openai.OpenAI(base_url=f"{live.url}/v1", api_key=place.key(name), max_retries=0)

    def ask(question):
        said = [{"role": "user", "content": question}]
        return client.chat.completions.create(model=name, messages=said).choices[0].message.content

    return ask


def test_the_call_that_would_pass_it_is_refused_then_handed_over_and_granted_anew(live, place, name, asked):
    view = place.base.lab.view
    grant_exposure(view, NewExposure(service=name, cases=4, reason="first day"))
    assert asked("hello") == "said hello"
    assert asked(json.dumps([CASE, CASE])) is not None, "a list of two cases"
    with pytest.raises(openai.PermissionDeniedError) as caught:
        asked(json.dumps([CASE, CASE]))
    assert caught.value.response.headers["pilotbase-error"] == "service.exposure_spent"
    assert asked("bye") == "said bye"
    with pytest.raises(openai.PermissionDeniedError, match="used up"):
        asked("bye")
    place.terms(name, ask_human=True)
    assert asked("bye") is None, "a person answers"
    live.gateway.desk.desk.give_back()
    told = tell_exposure(view, name)
    assert told.used + told.held == 4
    grant_exposure(view, NewExposure(service=name, cases=1, reason="second day"))
    assert asked("bye") == "said bye"
    assert [one.terms.reason for one in tell_exposure(view, name).earlier] == ["first day"]
