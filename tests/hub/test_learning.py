"""A learner begins a course, practises, earns a badge that a stranger verifies, and may erase whose record it is."""

import html
import io
import json
from dataclasses import replace

import polars
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from openbadgeslib import ob3

from pilotbase.documents.hashes import digest_of
from pilotbase.worker.learning import withdraw_badge
from tests.data.test_practice import rules


@pytest.fixture
def public(monkeypatch):
    from django.conf import settings

    monkeypatch.setattr(settings, "CONFIGURATION", replace(settings.CONFIGURATION, url="https://hub.example"))


@pytest.fixture
def learner(one_world):
    """The supplier's person, with a record that nobody has erased."""
    client = one_world.client("supplier")
    yield client
    client.delete("/api/learning")


class Table:
    """Cases as the learner downloads them."""

    def __init__(self, answer):
        content = b"".join(answer.streaming_content)
        frame = polars.read_csv(io.BytesIO(content))
        self.columns = {name: frame[name].to_numpy() for name in frame.columns}


def answers(client, number, **how):
    cases = Table(client.get(f"/courses/milling/draws/{number}.csv"))
    found = rules(cases, **how).astype(int)
    return "case,failure\n" + "".join(f"{n},{one}\n" for n, one in zip(cases.columns["case"], found, strict=True))


def post(client, path, said=None, status=200):
    answer = client.post(f"/api/courses/milling/{path}", json.dumps(said or {}), "application/json")
    assert answer.status_code == status, answer.content
    return answer.json()


def open_draw(told):
    entries = told["standing"]["entries"]
    answered = {one.get("draw") for one in entries}
    return next(one["number"] for one in entries if one["kind"] == "drawn" and one["number"] not in answered)


def pass_steps(client):
    post(client, "start")
    post(client, "steps/errors/answers", {"choices": [2, 1, 2]})
    number = open_draw(post(client, "steps/practice/draws"))
    return post(client, f"draws/{number}/answers", {"answers": answers(client, number)})


def earn(client):
    pass_steps(client)
    number = open_draw(post(client, "draws"))
    return post(client, f"draws/{number}/answers", {"answers": answers(client, number)})


def read(world, badge):
    visitor = world.client()

    def fetch(address, *_, **__):
        return visitor.get(address.removeprefix("https://hub.example")).content

    verifier = ob3.OB3Verifier.for_issuer_did("did:web:hub.example", download=fetch)
    return verifier.verify(badge, "supplier@example.org", check_status=True, download=fetch)


@pytest.mark.usefixtures("public")
def test_a_learner_earns_a_badge_that_a_stranger_verifies(one_world, learner):
    from pilotbase.hub.base import base

    page = "/courses/milling/"
    assert "Sign in" in one_world.client().get(page).content.decode()
    learner.post(f"{page}start/")
    wrong = learner.post(page, {"do": "errors", "q1": "1", "q2": "1", "q3": "2"}, follow=True)
    assert "Where failures are rare" not in html.unescape(wrong.content.decode()), "passed answers alone are explained"
    learner.post(page, {"do": "errors", "q1": "2", "q2": "1", "q3": "2"})
    assert "Where failures are rare" in html.unescape(learner.get(page).content.decode())
    learner.post(f"{page}practice/practise/")
    number = open_draw(learner.get("/api/courses/milling").json())
    poor = SimpleUploadedFile("answers.csv", answers(learner, number, heat=False).encode())
    shown = html.unescape(learner.post(page, {"do": "practice", "file": poor}, follow=True).content.decode())
    assert "process temperature less the air temperature" in shown, "says what to look at"
    assert learner.post(f"{page}try/", follow=True).content.decode().count("Pass every step first") == 2
    learner.post(f"{page}practice/practise/")
    number = open_draw(learner.get("/api/courses/milling").json())
    learner.post(page, {"do": "practice", "file": SimpleUploadedFile("a.csv", answers(learner, number).encode())})
    learner.post(f"{page}try/")
    number = open_draw(learner.get("/api/courses/milling").json())
    learner.post(page, {"do": "badge", "file": SimpleUploadedFile("a.csv", answers(learner, number).encode())})
    badge = learner.post(f"{page}badge.jwt").content.decode()
    found = read(one_world, badge)
    assert found.achievement.name == "Failure alarms that a shift can trust"
    assert "recall(failure) >= 0.70" in found.achievement.criteria_narrative
    identity = found.id.rpartition(":")[2]
    withdrawal = f"/api/badges/{identity}/withdrawal", '{"reason": "Copied."}', "application/json"
    assert one_world.client("owner").post(*withdrawal).status_code == 403
    withdraw_badge(base(), base().lab.view, digest_of(identity), "Copied.")
    with pytest.raises(ob3.OB3VerificationError, match="revo"):
        read(one_world, badge)


@pytest.mark.usefixtures("public")
def test_a_changed_badge_is_refused(one_world, learner):
    earn(learner)
    badge = post(learner, "badge")["credential"]
    head, payload, signature = badge.split(".")
    with pytest.raises(ob3.OB3VerificationError):
        read(one_world, f"{head}.{payload[:-2]}AA.{signature}")


def test_a_try_for_the_badge_gives_no_draw_away_and_erasing_gains_no_try(one_world, learner):
    told = pass_steps(learner)
    assert told["standing"]["entries"][-1]["slices"], "practice teaches"
    number = open_draw(post(learner, "draws"))
    said = {"answers": answers(learner, number, heat=False)}
    tried = post(learner, f"draws/{number}/answers", said)["standing"]["entries"][-1]
    assert (tried["verdict"], tried["slices"]) == ("reject", [])
    assert post(learner, f"draws/{number}/answers", said)["standing"]["entries"][-1] == tried, "once"
    assert learner.delete("/api/learning").status_code == 204
    assert learner.get("/api/courses/milling").json()["standing"] is None
    pass_steps(learner)
    again = post(learner, "draws")["standing"]["entries"][-1]
    assert again["attempt"] == tried["attempt"] + 1


def test_nobody_else_sees_a_record_and_few_people_are_not_told(one_world, learner):
    told = pass_steps(learner)
    assert told["standing"]["passed"] == ["errors", "practice"]
    for who in ("owner", "other-supplier", "desk"):
        assert one_world.client(who).get("/api/courses/milling").json()["standing"] is None, who
    figures = one_world.client("desk").get("/api/courses/milling/figures").json()["figures"]
    assert {one["people"] for one in figures} == {None}
    assert one_world.client("owner").get("/api/courses/milling/figures").status_code == 404


@pytest.mark.parametrize(
    ("said", "code"),
    [("case,failure\n1,2\n", "answer_line"), ("1,0\n1,0\n", "answer_line"), ("1,0\n", "answers_missing"),
     ("²,0\n", "answers_missing"), ("1,0\nx,0\n", "answer_line")],
)  # fmt: skip
def test_what_is_no_answer_is_named(learner, said, code):
    post(learner, "start")
    number = open_draw(post(learner, "steps/practice/draws"))
    refused = post(learner, f"draws/{number}/answers", {"answers": said}, status=422)
    assert refused["code"] == f"learning.{code}"


def test_nothing_is_drawn_before_the_learner_consents(learner):
    assert post(learner, "steps/practice/draws", status=409)["code"] == "learning.not_started"
