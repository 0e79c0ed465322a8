"""The custom robot of a group chat in Feishu (飞书): a post of up to 20 KB, 5 messages a second and 100 a minute.

A robot with a secret accepts signatures that are less than an hour old: HMAC-SHA256 under ``<seconds>\\n<secret>`` over
nothing, in base64, in the body. `open.feishu.cn/document/client-docs/bot-v3/add-custom-bot`
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from urllib.parse import SplitResult

from pilotbase.documents.texts import Text
from pilotbase.notices.channel import Carriers, NoticeChannel, Parcel, Secret, SendResult, line_of, say, shortened

_MOST_BYTES = 20_000
_TOO_OFTEN = {11232: 60}
_LOCALES = {"zh": "zh_cn", "en": "en_us"}


def send(parcel: Parcel, carriers: Carriers) -> SendResult:
    """Send the one notice of a parcel."""
    line = line_of(parcel.notices[0], parcel)
    opening = Text(code="notice.open").render(parcel.language)
    words = [
        [{"tag": "text", "text": shortened(line.sentence, _MOST_BYTES // 4)}],
        [{"tag": "a", "text": opening, "href": line.link}],
    ]
    post = {_LOCALES[parcel.language]: {"title": shortened(line.title, 500), "content": words}}
    message = {**_signature(parcel), "msg_type": "post", "content": {"post": post}}
    return say(carriers, parcel.address, message, "code", _TOO_OFTEN)


def fits(url: SplitResult) -> bool:
    """Return whether an address belongs to a Feishu robot."""
    return re.fullmatch(r"/open-apis/bot/v2/hook/[\w-]+", url.path) is not None


def _signature(parcel: Parcel) -> dict[str, str]:
    if not parcel.secret:
        return {}
    timestamp = str(int(parcel.sent_at.timestamp()))
    digest = hmac.new(f"{timestamp}\n{parcel.secret}".encode(), b"", hashlib.sha256).digest()
    return {"timestamp": timestamp, "sign": base64.b64encode(digest).decode()}


_EXAMPLE = "https://open.feishu.cn/open-apis/bot/v2/hook/3f1c-ab_9"
CHANNEL = NoticeChannel("feishu", send, fits, _EXAMPLE, Secret.GIVEN, apart=60 / 100)
