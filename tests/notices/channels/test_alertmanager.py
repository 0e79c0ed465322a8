"""Alertmanager: what its API v2 takes, with labels that its routes can read."""

import re

from tests.notices.channels.parcels_for_tests import parcel, robot, send

ADDRESS = "/api/v2/alerts"


def as_documented(path, query, alerts):
    """`api/v2/openapi.yaml`: a list of alerts; labels are words, and a label without a value is none."""
    assert path == ADDRESS
    for alert in alerts:
        assert alert["labels"]["alertname"] and all(re.fullmatch(r"[a-z_]+", name) for name in alert["labels"])
        assert all(isinstance(value, str) and value for value in alert["labels"].values())
    return {}


def test_a_notice_is_an_alert_in_the_readers_language():
    with robot(as_documented) as here:
        assert send("alertmanager", parcel(here.url + ADDRESS, language="zh")).ok
        ((alert,),) = here.got
        assert alert["labels"]["subject"] == "scenario:plant/milling" and "铣削" in alert["annotations"]["summary"]
        assert alert["startsAt"] == "2026-05-01T12:30:15.250000+00:00"
        here.answers = [(503, b"")]
        assert not send("alertmanager", parcel(here.url + ADDRESS)).ok
