"""PagerDuty, and what takes its events: an alert for each subject, so that an incident pages once and then grows.

The secret is the integration key. `developer.pagerduty.com/docs/events-api-v2-overview`
"""

from __future__ import annotations

from urllib.parse import SplitResult

from pilotbase.documents.hashes import canonical_json
from pilotbase.documents.notice import Notice, NoticeKind
from pilotbase.notices.channel import Carriers, NoticeChannel, Parcel, Secret, SendResult, answered, line_of, shortened

_MOST_BYTES = 1024
_INCIDENT = "incident:"


def send(parcel: Parcel, carriers: Carriers) -> SendResult:
    """Send the one notice of a parcel."""
    notice = parcel.notices[0]
    line = line_of(notice, parcel)
    event = {
        "routing_key": parcel.secret,
        "event_action": "trigger",
        "dedup_key": f"{parcel.sender.issuer} {notice.subject or notice.identity}"[:255],
        "client": "Pilotbase",
        "client_url": line.link,
        "payload": {
            "summary": shortened(f"{line.title}: {line.sentence}", _MOST_BYTES),
            "source": parcel.sender.url,
            "severity": severity_of(notice),
            "timestamp": notice.made_at.isoformat(),
            "component": notice.subject,
        },
    }
    headers = {"Content-Type": "application/json", "User-Agent": "pilotbase"}
    return answered(carriers.http.post(parcel.address, canonical_json(event), headers).status)


def severity_of(notice: Notice) -> str:
    """Return how urgent a notice is: an incident, a warning about a service, or anything else."""
    if notice.kind is not NoticeKind.WATCH:
        return "info"
    return "critical" if notice.subject.startswith(_INCIDENT) else "warning"


def fits(url: SplitResult) -> bool:
    """Return whether an address takes events of PagerDuty."""
    return url.path == "/v2/enqueue"


CHANNEL = NoticeChannel(
    "pagerduty", send, fits, "https://events.pagerduty.com/v2/enqueue", Secret.GIVEN, apart=60 / 120
)
