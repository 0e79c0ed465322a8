"""Prometheus Alertmanager: an alert for each subject by its API v2, routed and muted by its own rules.

An alert ends when the time that Alertmanager waits for news is over: prometheus/alertmanager, api/v2/openapi.yaml
"""

from __future__ import annotations

import json
from urllib.parse import SplitResult

from pilotbase.notices.channel import Carriers, NoticeChannel, Parcel, SendResult, answered, line_of
from pilotbase.notices.channels.pagerduty import severity_of


def send(parcel: Parcel, carriers: Carriers) -> SendResult:
    """Send the one notice of a parcel."""
    notice = parcel.notices[0]
    line = line_of(notice, parcel)
    alert = {
        "labels": {
            "alertname": f"pilotbase_{notice.kind}",
            "base": parcel.sender.issuer,
            "organisation": notice.organisation,
            "severity": severity_of(notice),
            "subject": notice.subject or notice.identity,
        },
        "annotations": {"summary": line.title, "description": line.sentence},
        "startsAt": notice.made_at.isoformat(),
        "generatorURL": line.link,
    }
    headers = {"Content-Type": "application/json", "User-Agent": "pilotbase"}
    return answered(
        carriers.http.post(parcel.address, json.dumps([alert], ensure_ascii=False).encode(), headers).status
    )


def fits(url: SplitResult) -> bool:
    """Return whether an address is the one for alerts of an Alertmanager."""
    return url.path.endswith("/api/v2/alerts")


CHANNEL = NoticeChannel("alertmanager", send, fits, "https://alerts.plant.example/api/v2/alerts")
