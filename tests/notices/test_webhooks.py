"""Webhooks: signed, tried again, given up visibly, replayed; never into a private network; each at least once."""

import json
import os
import signal

import pytest
from sqlalchemy import update

from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.permissions import Act
from pilotbase.documents.vocabularies import Role
from pilotbase.notices.channel import RETRY
from pilotbase.notices.outbox import ClaimedMessage, list_deliveries, replay
from pilotbase.notices.rows import list_notices
from pilotbase.notices.webhooks import Manner, add_webhook, end_webhook, lane_of, list_webhooks, secret_of
from pilotbase.protocols.guarded_http import GuardedHttp
from pilotbase.protocols.webhooks import signature
from pilotbase.workspace import tables, work
from pilotbase.workspace.actors import actor
from pilotbase.workspace.failures import NotFoundError
from tests.catalogue.records_for_tests import (
    DESK,
    MACHINE,
    OTHER_OWNER,
    OWNER,
    REGULATOR,
    SCENARIO,
    SUPPLIER,
    VISITOR,
)
from tests.notices.channels.parcels_for_tests import robot
from tests.notices.conftest import calling
from tests.protocols.receivers_for_tests import receiving

COLLEAGUE = actor("plant", Role.DEMAND_OWNER, person="p-2")
ALLOWED = GuardedHttp(("127.0.0.1",), seconds=2)
DELAYS = RETRY.delays


def added(told, receiver, who=OWNER):
    keys = told.noticing.base.home.keys
    return add_webhook(told.view(who), keys, ALLOWED, receiver.url)


def deliver(told) -> None:
    while told.noticing.call_webhooks():
        pass


def register(told) -> None:
    told.trial.do(OWNER, SCENARIO, Act.SCENARIO_REGISTER, told.trial.scenario)
    told.round()


def test_an_event_comes_signed_after_it_failed_twice(any_told, clock):
    with receiving(500, 503) as receiver:
        webhook, secret = added(any_told, receiver)
        register(any_told)
        any_told.noticing.call_webhooks()
        (delivery,) = list_deliveries(any_told.view(COLLEAGUE), webhook.identity)
        assert (delivery.state, delivery.tries, delivery.status) == ("waiting", 1, 500)
        assert (delivery.next_at - clock.now).total_seconds() == DELAYS[0]
        assert not any_told.noticing.call_webhooks(), "not before its time"
        for delay in DELAYS[:2]:
            clock.step(delay)
            deliver(any_told)
        (delivery,) = list_deliveries(any_told.view(OWNER), webhook.identity)
        assert (delivery.state, delivery.tries, delivery.status) == ("delivered", 3, 204)
        assert len(receiver.got) == 3 and len({headers["webhook-id"] for _, headers, _ in receiver.got}) == 1
        assert len({headers["webhook-timestamp"] for _, headers, _ in receiver.got}) == 3
        for _, headers, body in receiver.got:
            told = signature(secret, headers["webhook-id"], headers["webhook-timestamp"], body)
            assert headers["webhook-signature"] == f"v1,{told}"
            assert headers["content-type"].startswith("application/cloudevents+json")
        event = json.loads(receiver.got[0][2])
        assert {**event, "time": "…"} == {
            "specversion": "1.0",
            "id": delivery.identity,
            "source": "urn:pilotbase:base:base",
            "type": "org.pilotbase.notice.step",
            "subject": SCENARIO,
            "time": "…",
            "datacontenttype": "application/json",
            "data": {
                "for": "plant",
                "title": {"en": "Machine failure", "zh": "设备故障预警"},
                "record": "scenario",
                "act": "scenario.register",
                "state": "draft",
                "organisation": "plant",
            },
        }


def test_who_is_called(any_told):
    """Each organisation hears what its people are told, whoever of them; strangers hear nothing."""
    with receiving() as plant, receiving() as base, receiving() as hospital, receiving() as ministry:
        for receiver, who in ((plant, OWNER), (base, DESK), (hospital, OTHER_OWNER), (ministry, REGULATOR)):
            added(any_told, receiver, who)
        for name, role in (("plant", Role.DEMAND_OWNER), ("base", Role.OPERATOR), ("hospital", Role.DEMAND_OWNER)):
            any_told.trial.register(name, role)
        any_told.trial.open_scenario()
        any_told.round()
        deliver(any_told)
        heard = lambda receiver: sorted(json.loads(body)["data"]["act"] for _, _, body in receiver.got)  # noqa: E731
        steps = ["organisation.register", "scenario.open", "scenario.register", "scenario.submit"]
        assert heard(plant) == steps
        assert heard(base) == ["organisation.register", "scenario.submit"], "its own, and whose turn it is"
        assert heard(hospital) == ["organisation.register"], "its own"
        assert heard(ministry) == []


def test_only_members_manage_the_webhooks_of_their_organisation(told):
    with receiving() as receiver:
        webhook, secret = added(told, receiver)
        register(told)
        (delivery,) = list_deliveries(told.view(OWNER), webhook.identity)
        assert [one.identity for one in list_webhooks(told.view(COLLEAGUE))] == [webhook.identity]
        for who in (SUPPLIER, DESK, REGULATOR, OTHER_OWNER, VISITOR):
            view = told.view(who)
            assert list_webhooks(view) == []
            for reach in (
                lambda view: list_deliveries(view, webhook.identity),
                lambda view: replay(view, webhook.identity, delivery.identity),
                lambda view: end_webhook(view, webhook.identity),
            ):
                with pytest.raises((NotFoundError, RefusedError)):
                    reach(view)
        for who in (MACHINE, VISITOR):
            with pytest.raises(RefusedError):
                added(told, receiver, who)
        log = b"".join(told.store.log_copy().entries)
        assert b"webhook.added" in log and receiver.url.encode() not in log and secret.encode() not in log
        with told.store.database.read() as connection:
            from sqlalchemy import text

            row = connection.execute(text("SELECT * FROM webhooks")).one()
        assert secret not in str(row) and secret.removeprefix("whsec_") not in str(row)


def test_given_up_it_is_told_and_may_be_replayed(told, clock):
    with receiving(*[500] * 9) as receiver:
        webhook, _ = added(told, receiver)
        register(told)
        for delay in (0, *DELAYS):
            clock.step(delay)
            deliver(told)
        owner = told.view(COLLEAGUE)
        (delivery,) = list_deliveries(owner, webhook.identity)
        assert (delivery.state, delivery.tries, delivery.status, delivery.next_at) == ("given_up", 9, 500, None)
        assert list_notices(owner)[0][0].kind == "given_up"
        clock.step(3600)
        deliver(told)
        assert len(receiver.got) == 9, "what was given up is sent no more, and that it was is not sent either"
        replay(owner, webhook.identity, delivery.identity)
        deliver(told)
        assert list_deliveries(owner, webhook.identity)[0].state == "delivered"
        assert len({headers["webhook-id"] for _, headers, _ in receiver.got}) == 1


def test_a_name_that_comes_to_stand_for_a_private_address_is_not_called(any_told):
    with receiving() as receiver:
        keys, url = any_told.noticing.base.home.keys, receiver.url.replace("127.0.0.1", "hooks.example")
        outside = GuardedHttp(resolve=lambda host, port: ["8.8.8.8"])
        with pytest.raises(RefusedError):
            add_webhook(any_told.view(OWNER), keys, GuardedHttp(resolve=lambda host, port: ["10.0.0.7"]), url)
        webhook, _ = add_webhook(any_told.view(OWNER), keys, outside, url.replace("http:", "https:"))
        register(any_told)
        calling(any_told, GuardedHttp(resolve=lambda host, port: ["127.0.0.1"])).call_webhooks()
        (delivery,) = list_deliveries(any_told.view(OWNER), webhook.identity)
        assert (delivery.state, delivery.reason.code) == ("waiting", "protocol.address_denied")
        assert receiver.got == []


def test_killed_between_sending_and_noting_it_is_sent_again_and_known_again(any_told, clock):
    with receiving() as receiver:
        webhook, _ = added(any_told, receiver)
        register(any_told)
        child = os.fork()
        if child == 0:

            class Killed(GuardedHttp):
                def post(self, *arguments):
                    super().post(*arguments)
                    os.kill(os.getpid(), signal.SIGKILL)

            calling(any_told, Killed(("127.0.0.1",))).call_webhooks()
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        assert len(receiver.got) == 1 and list_deliveries(any_told.view(OWNER), webhook.identity)[0].state == "waiting"
        assert not any_told.noticing.call_webhooks(), "it may still be on its way"
        clock.step(61)
        deliver(any_told)
        assert list_deliveries(any_told.view(OWNER), webhook.identity)[0].state == "delivered"
        first, again = (headers["webhook-id"] for _, headers, _ in receiver.got)
        assert first == again


def test_a_message_that_kills_whoever_sends_it_is_given_up_too(told, clock, monkeypatch):
    with receiving() as receiver:
        webhook, _ = added(told, receiver)
        register(told)
        with monkeypatch.context() as patch:
            patch.setattr(ClaimedMessage, "note", lambda *_: None)
            for _ in range(12):
                told.noticing.call_webhooks()
                clock.step(61)
        assert len(receiver.got) == len(DELAYS) + 1
        assert list_deliveries(told.view(OWNER), webhook.identity)[0].state == "given_up"
        assert list_notices(told.view(COLLEAGUE))[0][0].kind == "given_up"


def test_an_ended_webhook_hears_nothing_more(told):
    with receiving() as receiver:
        webhook, _ = added(told, receiver)
        register(told)
        end_webhook(told.view(COLLEAGUE), webhook.identity)
        told.trial.do(OWNER, SCENARIO, Act.SCENARIO_SUBMIT)
        told.round()
        deliver(told)
        assert receiver.got == [] and list_webhooks(told.view(OWNER)) == []


def test_what_an_organisation_does_not_see_any_more_is_not_sent(told):
    from pilotbase.catalogue import threads
    from pilotbase.documents.thread import Question

    with receiving() as receiver:
        webhook, _ = added(told, receiver, OTHER_OWNER)
        told.trial.open_scenario()
        threads.ask(told.view(SUPPLIER), Question(subject=SCENARIO, title="Row 7", text="@hospital?"))
        told.round()
        edited = told.trial.scenario.model_copy(update={"intended_use": "Another."})
        told.trial.do(OWNER, SCENARIO, Act.SCENARIO_EDIT, edited)
        deliver(told)
        assert receiver.got == []
        assert list_deliveries(told.view(OTHER_OWNER), webhook.identity)[0].state == "dropped"


def test_a_webhook_that_hangs_holds_no_other_up(told):
    import socket
    import time

    silent = socket.create_server(("127.0.0.1", 0))
    with receiving() as receiver:
        keys = told.noticing.base.home.keys
        add_webhook(told.view(OWNER), keys, ALLOWED, f"http://127.0.0.1:{silent.getsockname()[1]}/")
        added(told, receiver)
        register(told)
        start = time.monotonic()
        calling(told, GuardedHttp(("127.0.0.1",), seconds=1)).call_webhooks()
        assert len(receiver.got) == 1 and time.monotonic() - start < 5
    silent.close()


def test_there_are_not_too_many(told):
    with receiving() as receiver:
        for _ in range(10):
            added(told, receiver)
        with pytest.raises(RefusedError):
            added(told, receiver)


def robot_of(told, here, channel="wecom", path="/cgi-bin/webhook/send?key=k", **manner):
    keys = told.noticing.base.home.keys
    return add_webhook(told.view(OWNER), keys, ALLOWED, here.url + path, Manner(channel, **manner))


def test_a_robot_is_told_in_its_pace_and_what_it_refuses_with_200_is_tried_again(any_told, clock):
    with robot(lambda path, query, body: {"errcode": 0, "errmsg": "ok"}) as here:
        webhook, secret = robot_of(any_told, here, language="zh")
        assert secret == "", "its key is in its address"
        register(any_told)
        any_told.trial.do(OWNER, SCENARIO, Act.SCENARIO_SUBMIT)
        any_told.round()
        here.answers.append((200, b'{"errcode": 45009, "errmsg": "api freq out of limit"}'))
        assert any_told.noticing.call_webhooks()
        later, tried = list_deliveries(any_told.view(OWNER), webhook.identity)
        assert (tried.state, tried.tries, tried.status) == ("waiting", 1, 200) and "45009" in tried.reason.render()
        assert (later.tries, any_told.noticing.call_webhooks()) == (0, False), "it said too often: a minute of peace"
        clock.step(60)
        for seconds in (0, 2, 1, 3):
            clock.step(seconds)
            any_told.noticing.call_webhooks()
        assert [one.state for one in list_deliveries(any_told.view(OWNER), webhook.identity)] == ["delivered"] * 2
        assert all("设备故障预警" in body["markdown"]["content"] for body in here.got) and len(here.got) == 2


def test_a_channel_takes_its_own_addresses_and_secrets_only(told):
    with robot(lambda *_: {}) as here:
        for manner, path, code in (
            (Manner("wecom"), "/hook", "notice.other_address"),
            (Manner("wecom", "s"), "/cgi-bin/webhook/send?key=k", "notice.no_secret_taken"),
            (Manner("webhook", "s"), "/hook", "notice.no_secret_taken"),
            (Manner("mail"), "/hook", "notice.no_channel"),
            (Manner("pigeon"), "/hook", "notice.no_channel"),
        ):
            with pytest.raises(InputError) as refused:
                add_webhook(told.view(OWNER), told.noticing.base.home.keys, ALLOWED, here.url + path, manner)
            assert refused.value.code == code
        webhook, drawn = robot_of(told, here, "feishu", "/open-apis/bot/v2/hook/t", secret="given")
        with told.store.database.read() as connection:
            assert (drawn, secret_of(connection, told.noticing.base.home.keys, webhook.identity)) == ("", "given")


def test_a_webhook_for_which_much_waits_holds_no_other_up(told):
    with receiving() as busy, receiving() as other:
        webhook, _ = added(told, busy)
        register(told)
        with told.store.database.write() as connection:
            for number in range(50):
                order = work.WorkRequest(lane_of(webhook.identity), "notice", f"msg_{number:032d}", {"notice": "gone"})
                work.put(connection, order, told.store.clock())
        added(told, other)
        told.trial.do(OWNER, SCENARIO, Act.SCENARIO_SUBMIT)
        told.round()
        told.noticing.call_webhooks()
        assert len(other.got) == 1


def test_a_row_that_cannot_be_read_ends_nothing_but_itself(told):
    with receiving() as receiver:
        webhook, _ = added(told, receiver)
        with told.store.database.write() as connection:
            work.put(connection, work.WorkRequest(lane_of(webhook.identity), "notice", "msg_x", {}), told.store.clock())
            connection.execute(update(tables.work).values(payload=b"[" * 100_000))
        register(told)
        deliver(told)
        assert len(receiver.got) == 1
        assert [one.state for one in list_deliveries(told.view(OWNER), webhook.identity)] == ["delivered"]
