"""One question to a program in a box: a greeting in, a report out."""

from __future__ import annotations

import json
import time
from typing import Any

from pilotbase.compute.box.box import Box
from pilotbase.documents.limits import EndReason
from pilotbase.protocols.frames import MAX_JSON_BYTES, FrameError, FrameKind, encode_json

NO_REPORT = (FrameError, ValueError, KeyError, TypeError)
"""What taking up a report of whomever may raise: it is none, or lacks what it should hold."""


def ask_box(box: Box, greeting: dict[str, Any], seconds: float) -> tuple[bool, Any]:
    """Return whether the program in ``box`` did what the greeting asks within ``seconds``, and its report.

    Raises:
        ChannelClosedError, DeadlinePassedError: the box ended before, or time was over.
        FrameError, ValueError: what came is no report.
    """
    deadline = time.monotonic() + seconds
    box.channel.send(encode_json(FrameKind.HELLO, json.dumps(greeting).encode()), deadline)
    header = box.channel.receive_header(deadline)
    if header.kind not in (FrameKind.READY, FrameKind.ERROR) or header.length > MAX_JSON_BYTES:
        raise FrameError(EndReason.BROKEN_PROTOCOL)
    report = json.loads(bytes(box.channel.receive(header.length, deadline)))
    return header.kind is FrameKind.READY, report
