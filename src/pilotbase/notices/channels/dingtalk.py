"""The custom robot of a group chat in DingTalk (钉钉): Markdown, 20 messages a minute, else it is silent for ten.

A robot with a secret (``SEC…``) accepts signatures that are less than an hour old: HMAC-SHA256 under the secret over
``<milliseconds>\\n<secret>``, in base64, in the query. `open.dingtalk.com/document/robots/custom-robot-access`
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import SplitResult, parse_qs, urlencode

from pilotbase.documents.texts import Text
from pilotbase.notices.channel import (
    Carriers,
    NoticeChannel,
    Parcel,
    Secret,
    SendResult,
    line_of,
    plain,
    say,
    shortened,
)

_MOST_BYTES = 20_000
_TOO_OFTEN = {130101: 600, 410100: 600}


def send(parcel: Parcel, carriers: Carriers) -> SendResult:
    """Send the one notice of a parcel."""
    line = line_of(parcel.notices[0], parcel)
    title = shortened(plain(line.title), 500)
    link = f"[{Text(code='notice.open').render(parcel.language)}]({line.link})"
    words = f"#### {title}\n\n> {shortened(plain(line.sentence), _MOST_BYTES // 2)}\n\n{link}"
    message = {"msgtype": "markdown", "markdown": {"title": title, "text": words}}
    return say(carriers, _signed(parcel), message, "errcode", _TOO_OFTEN)


def fits(url: SplitResult) -> bool:
    """Return whether an address belongs to a DingTalk robot."""
    return url.path == "/robot/send" and "access_token" in parse_qs(url.query)


def _signed(parcel: Parcel) -> str:
    if not parcel.secret:
        return parcel.address
    timestamp = str(round(parcel.sent_at.timestamp() * 1000))
    key, words = parcel.secret.encode(), f"{timestamp}\n{parcel.secret}".encode()
    signature = base64.b64encode(hmac.new(key, words, hashlib.sha256).digest()).decode()
    return f"{parcel.address}&{urlencode({'timestamp': timestamp, 'sign': signature})}"


_EXAMPLE = "https://oapi.dingtalk.com/robot/send?access_token=bf1d"
CHANNEL = NoticeChannel("dingtalk", send, fits, _EXAMPLE, Secret.GIVEN, apart=60 / 20)
