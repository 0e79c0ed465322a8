"""Programs of an organisation: a CloudEvent by POST, signed according to Standard Webhooks."""

from __future__ import annotations

from pilotbase.documents.notice import Notice
from pilotbase.notices.channel import Carriers, NoticeChannel, Parcel, Secret, SendResult, answered
from pilotbase.protocols.webhooks import MEDIA_TYPE, CloudEvent, signed_headers

EVENT = "org.pilotbase.notice"


def send(parcel: Parcel, carriers: Carriers) -> SendResult:
    """Send the one notice of a parcel; ``webhook-id`` is the same at every try."""
    body = event_of(parcel.notices[0], parcel).encoded()
    headers = signed_headers(parcel.secret, parcel.identity, parcel.sent_at, body)
    headers |= {"Content-Type": MEDIA_TYPE, "User-Agent": "pilotbase"}
    return answered(carriers.http.post(parcel.address, body, headers).status)


def event_of(notice: Notice, parcel: Parcel) -> CloudEvent:
    """Return a notice as an event of the base."""
    told = {"for": notice.organisation, "thread": notice.thread or None, **notice.body.to_json_value()}
    return CloudEvent(
        id=parcel.identity,
        source=f"urn:pilotbase:base:{parcel.sender.issuer}",
        type=f"{EVENT}.{notice.kind}",
        subject=notice.subject or None,
        time=notice.made_at,
        data={name: value for name, value in told.items() if value not in (None, "")},
    )


CHANNEL = NoticeChannel(
    "webhook", send, fits=lambda url: True, example="https://hooks.plant.example/x", secret=Secret.MADE
)
