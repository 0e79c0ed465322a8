"""Requests to a hub: what passes is waited for and sent once, errors keep their kind, tokens stay off open lines."""

import json
from dataclasses import dataclass, field

import pytest

from pilotbase.documents.errors import InputError, PilotbaseError, RefusedError
from pilotbase.protocols.guarded_http import GuardedRequest, GuardedResponse, NoAnswerError
from pilotbase.protocols.hub_requests import TRIES, HubRequests

URL = "https://hub.example"


@dataclass
class Scripted:
    """An HTTP client that answers by a list; an exception in it is raised."""

    answers: list[GuardedResponse | Exception]
    sent: list[GuardedRequest] = field(default_factory=list)

    def send(self, request: GuardedRequest) -> GuardedResponse:
        self.sent.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def problem(status: int, **headers: str) -> GuardedResponse:
    told = {"type": "urn:x", "title": "No.", "status": status, "code": "x.y", "hint": "Do.", "problems": []}
    return GuardedResponse(status, json.dumps(told).encode(), headers)


def requests(*answers: GuardedResponse | Exception) -> tuple[HubRequests, Scripted, list[float]]:
    http, slept = Scripted(list(answers)), []
    return HubRequests(URL, "pilot_x", http=http, sleep=slept.append), http, slept  # type: ignore[arg-type]


LOST = NoAnswerError("protocol.unreachable", host="hub.example")
DONE = GuardedResponse(200, b"{}")


def test_what_passes_is_waited_for_and_sent_under_one_key():
    hub, http, slept = requests(LOST, problem(503), problem(429, **{"retry-after": "7"}), DONE)
    assert hub.write("POST", "/trials", {"a": 1}) is DONE
    assert slept == [0.5, 1.0, 7.0]
    assert len({request.headers["Idempotency-Key"] for request in http.sent}) == 1
    assert {(request.method, request.url) for request in http.sent} == {("POST", f"{URL}/api/trials")}


def test_it_gives_up_after_some_tries_or_a_long_wait():
    hub, http, _ = requests(*[LOST] * TRIES)
    with pytest.raises(NoAnswerError):
        hub.get("/me")
    assert len(http.sent) == TRIES
    hub, http, slept = requests(problem(429, **{"retry-after": "3600"}))
    with pytest.raises(RefusedError):
        hub.get("/me")
    assert slept == []


@pytest.mark.parametrize(
    ("status", "kind", "exit_code"),
    [(401, RefusedError, 5), (403, RefusedError, 5), (404, InputError, 2), (422, InputError, 2), (413, InputError, 2),
     (409, PilotbaseError, 1), (412, PilotbaseError, 1), (507, PilotbaseError, 1)],
)  # fmt: skip
def test_problems_keep_their_kind(status, kind, exit_code):
    hub, http, _ = requests(problem(status))
    with pytest.raises(kind) as told:
        hub.get("/me")
    assert told.value.exit_code == exit_code and told.value.render("zh") == "No.\nDo."
    assert len(http.sent) == 1, "what does not pass is not tried again"


def test_what_is_barred_as_things_stand_is_refused_as_it_is_without_a_hub():
    found = json.loads(problem(409).body) | {"barred": True}
    hub, _, _ = requests(GuardedResponse(409, json.dumps(found).encode()))
    with pytest.raises(RefusedError) as told:
        hub.get("/me")
    assert told.value.exit_code == 5


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"\xff", b'{"title": 1}'])
def test_an_answer_that_is_no_problem_is_told_by_its_status(body):
    hub, _, _ = requests(GuardedResponse(500, body))
    with pytest.raises(PilotbaseError) as told:
        hub.get("/me")
    assert told.value.code == "protocol.hub_failed" and "500" in str(told.value)


@pytest.mark.parametrize("url", ["ftp://x", "hub.example", "https://hub.example/pages", "https://", ""])
def test_what_is_no_address_of_a_hub_is_told(url):
    with pytest.raises(InputError):
        HubRequests(url, "pilot_x")


def test_a_token_goes_over_https_or_to_this_machine_only():
    with pytest.raises(RefusedError):
        HubRequests("http://hub.example", "pilot_x")
    for url in ("http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000", URL):
        HubRequests(url, "pilot_x")
    assert "pilot_x" not in repr(HubRequests(URL, "pilot_x"))
