"""Notices on the hub: the list and its count, mails in the language of the person, webhooks, the worker's rounds."""

import email
import email.policy
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pilotbase.documents.permissions import Act
from pilotbase.notices.webhooks import organisation_channels
from tests.catalogue.records_for_tests import DESK, OTHER_OWNER, OWNER, SCENARIO, scenario
from tests.hub.test_api import caller
from tests.notices.channels.parcels_for_tests import robot
from tests.protocols.receivers_for_tests import receiving

JSON = {"content_type": "application/json"}
TITLE = {"en": "Machine failure", "zh": "设备故障预警"}


def noticing(world, allowed=("127.0.0.1",)):
    from pilotbase.hub.base import base
    from pilotbase.hub.configuration import HubConfiguration
    from pilotbase.hub.people.postman import Postman
    from pilotbase.protocols.guarded_http import GuardedHttp
    from pilotbase.worker.reactions.noticing import Noticing, Ways

    configuration = HubConfiguration.from_environment()
    ways = Ways(Postman(configuration), GuardedHttp(allowed, seconds=2), url=configuration.url)
    return Noticing(base(), ways)


def rounds(world):
    while noticing(world).round():
        pass


@pytest.fixture(scope="module")
def told(any_world):
    rounds(any_world)
    any_world.trial.open_scenario()
    any_world.trial.do(OTHER_OWNER, "scenario:hospital/xray", Act.SCENARIO_REGISTER, _xray())
    rounds(any_world)
    return any_world


def _xray():
    return scenario((), name="xray", owner={"organisation": "hospital"}, title="X-ray")


def identities(browser, query=""):
    return re.findall(r'href="/notices/([0-9a-f]{32})/"', browser.get(f"/notices/{query}").content.decode())


def test_each_sees_their_own(told):
    owner, desk, other = (told.client(who) for who in ("owner", "desk", "other-owner"))
    assert [text for text in _said(owner)] == [
        "Scenario opened (Base). Now: Open.",
        "Organisation registered (Base). Now: Registered.",
    ]
    assert any("Submit" in text for text in _said(desk)), "the operator's turn"
    assert _said(other) == [
        "Overdue since 2026-05-31: Submit the scenario for review",
        "Organisation registered (Base). Now: Registered.",
    ], "of what they did themselves, nothing"
    theirs = set(identities(owner)) - set(identities(other))
    for identity in theirs:
        assert other.get(f"/notices/{identity}/").status_code == 404
    assert told.client().get(f"/notices/{identities(owner)[0]}/").status_code == 302


def _said(browser):
    page = browser.get("/notices/").content.decode()
    return [" ".join(text.split()) for text in re.findall(r'href="/notices/[0-9a-f]{32}/">([^<]+)</a>', page)]


def test_the_count_and_reading(told):
    browser = told.client("owner")
    page = browser.get("/work/").content.decode()
    assert re.search(r'class="dot"[^>]*>2<', page)
    first = identities(browser)[0]
    followed = browser.get(f"/notices/{first}/")
    assert (followed.status_code, followed["Location"]) == (302, "/scenarios/plant/milling/")
    assert len(identities(browser, "?unread=1")) == 1 and len(identities(browser)) == 2
    browser.post("/notices/read/", {"notice": identities(browser, "?unread=1")[0]})
    assert identities(browser, "?unread=1") == []
    assert 'class="dot"' not in browser.get("/work/").content.decode()
    desk = told.client("desk")
    assert desk.post("/notices/read/", {"all": "1", "unread": "1"})["Location"] == "/notices/?unread=1"
    assert identities(desk, "?unread=1") == [] and identities(desk)


def test_over_the_api(told):
    other = caller(told, "other-owner")
    listed = other.get("/api/notices").json()
    assert listed["unread"] == 2 and listed["items"][1]["said"].startswith("Organisation registered (base)")
    chinese = other.get("/api/notices", HTTP_ACCEPT_LANGUAGE="zh").json()
    assert "机构已登记" in chinese["items"][1]["said"]
    theirs = caller(told, "owner").get("/api/notices").json()["items"][0]["identity"]
    assert other.post("/api/notices/read", {"notices": [theirs]}, **JSON).json() == {"marked": 0}
    assert other.post("/api/notices/read", {}, **JSON).json() == {"marked": 2}
    assert other.get("/api/notices?unread=true").json()["items"] == []
    for query in ("limit=0", "after=" + "0" * 32, "unread=perhaps"):
        assert other.get(f"/api/notices?{query}").status_code == 422
    for body in ({"notices": ["x"]}, {"all": True}):
        assert other.post("/api/notices/read", body, **JSON).status_code == 422
    assert caller(told, "other-owner", "read").post("/api/notices/read", {}, **JSON).status_code == 403


def test_mail_in_the_language_of_the_person(told):
    from django.core import mail

    for who, language in (("owner", "zh"), ("other-supplier", "en")):
        form = {"mail": "at_once", "language": language}
        assert told.client(who).post("/notices/mail/", form).status_code == 302
    told.trial.do(OTHER_OWNER, "scenario:hospital/xray", Act.SCENARIO_SUBMIT)
    thread = caller(told, "other-supplier").post(
        "/api/threads", {"subject": SCENARIO, "title": "Row\n7\u202e", "text": "?"}, **JSON
    )
    caller(told, "other-owner").post(f"{thread['Location']}/messages", {"text": "Mine too."}, **JSON)
    mail.outbox = []
    rounds(told)
    assert sorted(one.to[0] for one in mail.outbox) == ["other-supplier@example.org", "owner@example.org"]
    chinese = next(one for one in mail.outbox if one.to == ["owner@example.org"])
    english = next(one for one in mail.outbox if one.to == ["other-supplier@example.org"])
    assert chinese.subject == "中试基地有 2 条通知" and "Globex 提出了问题" in chinese.body
    assert english.subject == "Hospital replied – Row 7⟨U+202E⟩" and "New on the pilot base" in english.body
    link = re.search(r"http://127.0.0.1:\d+(/notices/[0-9a-f]{32}/)", english.body)[1]
    assert told.client("other-supplier").get(link)["Location"] == f"/exchange/{thread['Location'].rpartition('/')[2]}/"
    assert re.fullmatch(r"<[0-9a-f]{32}@127.0.0.1>", english.extra_headers["Message-ID"])
    mail.outbox.clear()
    rounds(told)
    assert mail.outbox == []


def test_choosing_how_to_be_told(told):
    reviewer = caller(told, "reviewer")
    assert reviewer.get("/api/notices/mail").json() == {"mail": "daily"}
    assert reviewer.put("/api/notices/mail", {"mail": "none"}, **JSON).json() == {"mail": "none"}
    assert reviewer.get("/api/notices/mail").json() == {"mail": "none"}
    assert reviewer.put("/api/notices/mail", {"mail": "hourly"}, **JSON).status_code == 422
    assert told.client("reviewer").post("/notices/mail/", {"mail": "x", "language": "en"}).status_code == 200


def test_a_mail_that_did_not_go_out_is_said(told, monkeypatch):
    from django.core.mail import EmailMessage

    def broken(self):
        raise ConnectionRefusedError

    told.client("supplier").post("/notices/mail/", {"mail": "at_once", "language": "en"})
    caller(told, "other-supplier").post(
        "/api/threads", {"subject": SCENARIO, "title": "Row 8", "text": "@acme, well?"}, **JSON
    )
    with monkeypatch.context() as patch:
        patch.setattr(EmailMessage, "send", broken)
        rounds(told)
    assert "did not go out" in told.client("supplier").get("/notices/mail/").content.decode()


def test_a_webhook_from_its_making_to_its_end(told, settings_of_the_hub):
    settings_of_the_hub(webhook_allow=("127.0.0.1",))
    owner, other = told.client("owner"), told.client("other-supplier")
    rounds(told)
    with receiving(500) as receiver:
        page = owner.post("/notices/webhooks/", {"channel": "webhook", "url": receiver.url}).content.decode()
        assert re.search(r"whsec_[A-Za-z0-9+/=]{44}", page)
        assert "whsec_" not in owner.get("/notices/webhooks/").content.decode()
        (identity,) = re.findall(r'href="/notices/webhooks/([0-9a-f]{16})/"', page)
        assert receiver.got == [], "of what was before it was added, nothing"
        edited = told.trial.scenario.model_copy(update={"intended_use": "Warn both shifts."})
        told.trial.do(OWNER, SCENARIO, Act.SCENARIO_EDIT, edited)
        rounds(told)
        shown = owner.get(f"/notices/webhooks/{identity}/").content.decode()
        assert "HTTP 500" in shown and "status wait" in shown
        (message,) = re.findall(r"(msg_[0-9a-f]{32})</span></th>(?:(?!<tr>).)*HTTP 500", shown, re.S)
        owner.post(f"/notices/webhooks/{identity}/again/", {"message": message})
        rounds(told)
        assert "status wait" not in owner.get(f"/notices/webhooks/{identity}/").content.decode()
        assert [headers["webhook-id"] for _, headers, _ in receiver.got].count(message) == 2
        for path in ("", "again/", "end/"):
            address = f"/notices/webhooks/{identity}/{path}"
            assert (other.post if path else other.get)(address, {"message": message}).status_code == 404
        assert owner.post(f"/notices/webhooks/{identity}/end/").status_code == 302
        assert owner.get(f"/notices/webhooks/{identity}/").status_code == 404


def test_a_webhook_is_tried_and_nobody_else_is_told(told, settings_of_the_hub):
    settings_of_the_hub(webhook_allow=("127.0.0.1",))
    owner, api = told.client("owner"), caller(told, "owner")
    rounds(told)
    with receiving() as receiver, receiving() as another:
        tried, _ = (api.post("/api/webhooks", {"url": one.url}, **JSON).json() for one in (receiver, another))
        before = owner.get("/notices/").content
        address = f"/notices/webhooks/{tried['identity']}/"
        shown = owner.post(f"{address}test/", follow=True, HTTP_ACCEPT_LANGUAGE="en").content.decode()
        assert "A test message: this webhook works" in shown and "status wait" in shown
        rounds(told)
        ((_path, headers, body),) = receiver.got
        assert json.loads(body)["type"] == "org.pilotbase.notice.test" and headers["webhook-signature"]
        assert another.got == [] and b"A test message" not in owner.get("/notices/").content
        assert "status pass" in owner.get(address).content.decode() and before
        answer = api.post(f"/api/webhooks/{tried['identity']}/messages", {}, **JSON)
        assert (answer.status_code, answer.json()["state"]) == (202, "waiting")
        assert told.client("other-supplier").post(f"{address}test/").status_code == 404
        for one in api.get("/api/webhooks").json():
            api.delete(f"/api/webhooks/{one['identity']}")


def test_the_robot_of_a_group_chat_by_page_and_api(told, settings_of_the_hub):
    settings_of_the_hub(webhook_allow=("127.0.0.1",))
    owner, api = told.client("owner"), caller(told, "owner")
    with robot(lambda path, query, body: {"code": 0, "msg": "success"}) as here:
        url = f"{here.url}/open-apis/bot/v2/hook/t"
        page = owner.get("/notices/webhooks/").content.decode()
        assert all(f'<option value="{name}"' in page for name in organisation_channels())
        wrong = owner.post("/notices/webhooks/", {"channel": "dingtalk", "url": url, "secret": "SEC1"})
        assert "not the address of" in wrong.content.decode()
        page = owner.post("/notices/webhooks/", {"channel": "feishu", "url": url, "secret": "Kq3"}).content.decode()
        assert "Feishu" in page and "Kq3" not in page and "whsec_" not in page
        made = api.post("/api/webhooks", {"url": url, "channel": "feishu"}, **JSON).json()
        assert (made["channel"], made["secret"]) == ("feishu", None)
        refused = api.post("/api/webhooks", {"url": url, "channel": "pigeon"}, **JSON)
        assert (refused.status_code, refused.json()["code"]) == (422, "notice.no_channel")
        told.trial.do(OWNER, SCENARIO, Act.SCENARIO_EDIT, told.trial.scenario.model_copy(update={"intended_use": "W."}))
        rounds(told)
        assert sorted("sign" in body for body in here.got) == [False, True], "signed where a secret was given"
        for one in api.get("/api/webhooks").json():
            api.delete(f"/api/webhooks/{one['identity']}")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/x", "https://127.0.0.1/x", "https://[::1]/", "ftp://x/", "nonsense"]
)
def test_addresses_that_are_not_called_are_told(told, url):
    page = told.client("owner").post("/notices/webhooks/", {"channel": "webhook", "url": url}).content.decode()
    assert 'id="id_url_error"' in page and "whsec_" not in page
    found = caller(told, "owner").post("/api/webhooks", {"url": url}, **JSON)
    assert found.status_code in (403, 422) and found.json()["code"].startswith("protocol."), found.content


def test_webhooks_over_the_api(told, settings_of_the_hub):
    settings_of_the_hub(webhook_allow=("127.0.0.1",))
    owner, colleague, other = caller(told, "owner"), caller(told, "owner", "read"), caller(told, "other-supplier")
    with receiving() as receiver:
        keyed = {**JSON, "HTTP_IDEMPOTENCY_KEY": "w1"}
        made = owner.post("/api/webhooks", {"url": receiver.url}, **keyed)
        assert made.status_code == 201 and made.json()["secret"].startswith("whsec_")
        address = f"/api/webhooks/{made.json()['identity']}"
        assert [one["secret"] for one in colleague.get("/api/webhooks").json()] == [None]
        assert other.get("/api/webhooks").json() == []
        edited = told.trial.scenario.model_copy(update={"intended_use": "Warn the night shift."})
        told.trial.do(OWNER, SCENARIO, Act.SCENARIO_EDIT, edited)
        rounds(told)
        message = owner.get(f"{address}/messages").json()[-1]
        assert (message["state"], message["status"], message["tries"]) == ("delivered", 204, 1)
        again = f"{address}/messages/{message['identity']}/replay"
        for one in (other.get(f"{address}/messages"), other.post(again, {}, **JSON), other.delete(address)):
            assert one.status_code == 404, one.content
        assert colleague.post(again, {}, **JSON).status_code == 403
        assert owner.post(again, {}, **JSON).status_code == 204
        rounds(told)
        assert [headers["webhook-id"] for _, headers, _ in receiver.got].count(message["identity"]) == 2
        assert owner.delete(address).status_code == 204 and owner.delete(address).status_code == 404
    from pilotbase.hub.models import GivenAnswer

    kept = b"".join(bytes(answer.body) for answer in GivenAnswer.objects.all())
    assert b"whsec_" not in kept, "a secret is not kept to be given again"


@pytest.fixture
def settings_of_the_hub():
    from dataclasses import replace

    from django.conf import settings

    before = settings.CONFIGURATION

    def change(**values):
        settings.CONFIGURATION = replace(before, **values)

    yield change
    settings.CONFIGURATION = before


@pytest.mark.prove
def test_the_worker_sends_by_the_settings_of_the_hub(one_world, tmp_path):
    """A process of its own, as `serve` starts it: mail goes to the folder, in the person's language."""
    from pilotbase.hub.models import Person

    Person.objects.filter(identity="p-owner").update(language="zh")
    home = Path(os.environ["PILOTBASE_HOME"])
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    worker = [sys.executable, "-c", "from pilotbase.cli import main; main()", "worker", "--once"]
    told = one_world.client("owner").post("/notices/mail/", {"mail": "at_once", "language": "zh"})
    assert told.status_code == 302
    one_world.trial.open_scenario()
    subprocess.run(worker, env=environment, check=True, capture_output=True)
    (mail,) = (home / "mail").glob("*.eml")
    sent = email.message_from_bytes(mail.read_bytes(), policy=email.policy.default)
    assert (sent["To"], sent["Subject"]) == ("owner@example.org", "中试基地有 2 条通知")
    assert mail.stat().st_mode & 0o077 == 0


def test_what_concerns_one_record_stands_in_one_row_and_is_read_at_once(told):
    named = "scenario:hospital/wards"
    wards = scenario((), name="wards", owner={"organisation": "hospital"}, title="Full wards")
    for who, act, brought in (
        (OTHER_OWNER, Act.SCENARIO_REGISTER, wards),
        (OTHER_OWNER, Act.SCENARIO_SUBMIT, None),
        (DESK, Act.SCENARIO_RETURN, None),
        (OTHER_OWNER, Act.SCENARIO_SUBMIT, None),
    ):
        told.trial.do(who, named, act, brought)
        rounds(told)
    desk = told.client("planner")
    for language, said in (("en", "earlier</summary>"), ("zh", "更早")):
        page = desk.get("/notices/", headers={"Accept-Language": language}).content.decode()
        (row,) = [row for row in page.partition("<tbody>")[2].split("<tr")[1:] if "Full wards" in row]
        assert said in row and row.count("<button") == 1
    unread = re.findall(r'name="notice" value="(\w+)"', row)
    assert len(unread) > 1
    desk.post("/notices/read/", {"notice": unread})
    assert not set(unread) & set(identities(desk, "?unread=1"))
