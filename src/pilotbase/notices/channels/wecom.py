"""The robot of a group chat in WeCom (企业微信): Markdown of up to 4,096 bytes, 20 messages a minute.

The only secret is the key in the address; messages are not signed. `developer.work.weixin.qq.com/document/path/91770`
"""

from __future__ import annotations

from urllib.parse import SplitResult, parse_qs

from pilotbase.documents.texts import Text
from pilotbase.notices.channel import Carriers, NoticeChannel, Parcel, SendResult, line_of, plain, say, shortened

_MOST_BYTES = 4096
_TOO_OFTEN = {45009: 60}


def send(parcel: Parcel, carriers: Carriers) -> SendResult:
    """Send the one notice of a parcel."""
    line = line_of(parcel.notices[0], parcel)
    link = f"[{Text(code='notice.open').render(parcel.language)}]({line.link})"
    told = f"**{shortened(plain(line.title), 500)}**\n> {plain(line.sentence)}"
    content = f"{shortened(told, _MOST_BYTES - len(link.encode()) - 1)}\n{link}"
    message = {"msgtype": "markdown", "markdown": {"content": content}}
    return say(carriers, parcel.address, message, "errcode", _TOO_OFTEN)


def fits(url: SplitResult) -> bool:
    """Return whether an address belongs to a WeCom robot."""
    return url.path == "/cgi-bin/webhook/send" and "key" in parse_qs(url.query)


_EXAMPLE = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a"
CHANNEL = NoticeChannel("wecom", send, fits, _EXAMPLE, apart=60 / 20)
