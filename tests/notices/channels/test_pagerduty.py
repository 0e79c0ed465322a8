"""Events of PagerDuty: one alert a subject, urgent by what it is about, refused without its key."""

from dataclasses import replace

import pytest

from pilotbase.documents.notice import NoticeKind
from pilotbase.documents.texts import text
from tests.notices.channels.parcels_for_tests import parcel, robot, send

ADDRESS, KEY = "/v2/enqueue", "r" * 32


def as_documented(path, query, event):
    """https://developer.pagerduty.com/docs/events-api-v2-overview"""
    assert path == ADDRESS and event["event_action"] in {"trigger", "acknowledge", "resolve"}
    assert {"summary", "source", "severity"} <= event["payload"].keys() and len(event["payload"]["summary"]) <= 1024
    return {"status": "success", "dedup_key": event["dedup_key"]}


@pytest.mark.parametrize(
    ("kind", "subject", "severity"),
    [
        (NoticeKind.WATCH, "incident:7", "critical"),
        (NoticeKind.WATCH, "service:alarm", "warning"),
        (NoticeKind.QUESTION, "scenario:plant/milling", "info"),
    ],
)
def test_an_incident_pages_and_a_question_does_not(kind, subject, severity):
    with robot(as_documented) as here:
        one = parcel(here.url + ADDRESS, KEY, words=900)
        body = one.notices[0].body.model_copy(update={"said": text("reaction.notified")})
        notice = one.notices[0].model_copy(update={"kind": kind, "subject": subject, "body": body})
        assert send("pagerduty", replace(one, notices=[notice])).ok
        (event,) = here.got
        assert (event["routing_key"], event["payload"]["severity"]) == (KEY, severity)
        assert event["dedup_key"] == f"base {subject}", "the next notice about it joins the same alert"
        assert event["client_url"] == f"https://base.example/notices/{'a' * 32}/"


def test_what_is_refused_is_tried_again():
    with robot(as_documented) as here:
        here.answers = [(400, b"{}"), (202, b"{}")]
        assert not send("pagerduty", parcel(here.url + ADDRESS)).ok
        assert send("pagerduty", parcel(here.url + ADDRESS, KEY)).ok
