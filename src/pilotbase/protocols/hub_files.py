"""Files of datasets fetched from a hub, part by part, so that an outage costs one part."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pilotbase.documents.errors import PilotbaseError
from pilotbase.operations.datasets import TAKE, FileFor
from pilotbase.protocols.guarded_http import GuardedResponse
from pilotbase.protocols.hub_requests import HubRequests

PART = 16 << 20
"""Bytes of a file that are asked for at a time."""
_PARTIAL = 206
_RANGE = re.compile(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18})")


@dataclass(frozen=True)
class PartialDownload:
    """What is there of a file whose taking was cut off."""

    size: int
    tag: str
    """Names its bytes, as the hub has spelled it."""


@dataclass(frozen=True)
class FilePart:
    """Some bytes of a file, from ``start`` on."""

    start: int
    tag: str
    content: bytes


def parts_of(requests: HubRequests, asked: FileFor, begun: PartialDownload | None = None) -> Iterator[FilePart]:
    """Yield the parts of a file, one after the other; from where ``begun`` ends, if its bytes are the same still.

    A file whose copies are marked comes in one part. Raises besides as `HubRequests.send`.
    """
    # The last byte that is there is asked for again: a range that begins at the end would be refused.
    at, tag = (max(begun.size - 1, 0), begun.tag) if begun is not None else (0, "")
    size = at + 1
    while at < size:
        answer = _part(requests, asked, at, tag)
        start, size = _range_of(answer)
        if start not in (0, at) or (answer.status == _PARTIAL and not answer.body):
            raise PilotbaseError("protocol.hub_unreadable", found=asked.file)
        tag, at = answer.headers.get("etag", ""), start + len(answer.body)
        yield FilePart(start, tag, answer.body)


def _part(requests: HubRequests, asked: FileFor, at: int, tag: str) -> GuardedResponse:
    headers = {"Range": f"bytes={at}-{at + PART - 1}", **({"If-Range": tag} if tag else {})}
    try:
        answer = requests.get(TAKE.address(asked), {"purpose": asked.purpose}, headers)
    except PilotbaseError as error:
        if at or error.text.params.get("found") != "api.range":
            raise
        return GuardedResponse(200, b"")  # there is no first byte
    if int(answer.headers.get("content-length", 0)) > len(answer.body):
        raise PilotbaseError("protocol.hub_unreadable", found=asked.file)
    return answer


def _range_of(answer: GuardedResponse) -> tuple[int, int]:
    """Return where the bytes of an answer begin, and the size of the whole file."""
    found = _RANGE.fullmatch(answer.headers.get("content-range", "")) if answer.status == _PARTIAL else None
    return (int(found[1]), int(found[2])) if found is not None else (0, len(answer.body))
