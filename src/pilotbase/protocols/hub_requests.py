"""Requests to a hub: with a token, tried again where that is safe; declared operations, and files part by part.

The hub is named by its user, so it may stand on a private address; a token never goes out without https except to this
very machine.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pydantic

from pilotbase.documents.api.shapes import Problem, ProblemIssue
from pilotbase.documents.errors import InputError, Issue, PilotbaseError, RefusedError
from pilotbase.documents.files import File
from pilotbase.documents.hashes import Digest
from pilotbase.documents.texts import Language, text
from pilotbase.operations.datasets import TAKE, FileFor
from pilotbase.operations.operation import NOTHING, In, Operation, Out
from pilotbase.protocols.guarded_http import GuardedHttp, GuardedRequest, GuardedResponse, NoAnswerError

MAXIMUM_ANSWER = 64 << 20
TRIES = 5
MOST_SECONDS_OF_WAITING = 60
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_PASSING = (429, 502, 503, 504)
_INPUT = (400, 404, 405, 413, 415, 422)
_REFUSED = (401, 403, 429)
PART = 16 << 20
"""Bytes of a file that are asked for at a time."""
_PARTIAL = 206
_RANGE = re.compile(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18})")


@dataclass(frozen=True)
class HubRequests:
    """Requests to the hub at ``url`` under ``token``, answered in ``language``."""

    url: str
    token: str = field(repr=False)
    language: Language = "en"
    http: GuardedHttp | None = None
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
            raise InputError("protocol.no_hub", found=self.url)
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise RefusedError("protocol.hub_needs_https", found=self.url)

    def get(
        self, path: str, query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> GuardedResponse:
        """Return the document at ``path`` under /api; raises as `send`."""
        asked = "&".join(f"{name}={quote(value, safe='')}" for name, value in (query or {}).items() if value)
        return self.send("GET", f"{path}?{asked}" if asked else path, headers=headers)

    def write(self, method: str, path: str, value: Any, seen: str | None = None) -> GuardedResponse:
        """Send ``value`` as JSON with effect once, despite retries; ``seen``: only if it is still the current version.

        Raises as `send`.
        """
        headers = {"Content-Type": "application/json", "Idempotency-Key": secrets.token_hex(16)}
        if seen is not None:
            headers["If-Match"] = f'"{seen}"'
        return self.send(method, path, json.dumps(value).encode(), headers)

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> GuardedResponse:
        """Return the answer, retrying after temporary failures.

        Raises:
            InputError: the request is wrong, or its target doesn't exist (for this caller).
            RefusedError: login, role, state or limits forbid it.
            NoAnswerError: the hub couldn't be reached, after several tries.
            PilotbaseError: someone else was first, or the hub failed.
        """
        client = self.http or GuardedHttp((urlsplit(self.url).hostname or "",), seconds=120)
        told = {
            "Authorization": f"Bearer {self.token}",
            "Accept-Language": "zh-hans" if self.language == "zh" else "en",
            **(headers or {}),
        }
        if not self.token:
            del told["Authorization"]
        request = GuardedRequest(method, f"{self.url.rstrip('/')}/api{path}", body, told, MAXIMUM_ANSWER)
        for wait in (*(0.5 * 2**number for number in range(TRIES - 1)), None):
            try:
                answer = client.send(request)
            except NoAnswerError:
                if wait is None:
                    raise
                self.sleep(wait)
                continue
            if answer.status < 400:
                return answer
            asked = _retry_after(answer)
            if answer.status not in _PASSING or wait is None or asked > MOST_SECONDS_OF_WAITING:
                raise problem_of(answer)
            self.sleep(max(wait, asked))
        raise AssertionError("the last try returns or raises")


def problem_of(answer: GuardedResponse) -> PilotbaseError:
    """Return the error that the problem details describe, in the hub's own words."""
    try:
        problem = Problem.model_validate_json(answer.body)
    except pydantic.ValidationError:
        return PilotbaseError("protocol.hub_failed", status=answer.status)
    told = {"title": problem.title, "advice": problem.hint, "found": problem.code}
    if answer.status in _REFUSED or problem.barred:
        return RefusedError("protocol.hub_told", **told)
    if answer.status in _INPUT:
        issues = [_issue(one) for one in problem.problems]
        return InputError("protocol.hub_told", issues=issues, **told)
    return PilotbaseError("protocol.hub_told", **told)


def _issue(told: ProblemIssue) -> Issue:
    problem = text("protocol.hub_detail", detail=told.detail)
    return Issue(file=told.file or "hub", path=told.path, problem=problem, line=told.line)


def _retry_after(answer: GuardedResponse) -> float:
    told = answer.headers.get("retry-after", "")
    return float(told) if told.isdigit() else 0.0


@dataclass(frozen=True)
class HubCalls:
    """A person's actions on a hub; everything raises as `HubRequests.send`.

    HubCalls(HubRequests("https://hub.example", token)).call(services.SHOW, services.OfService(service="milling"))
    """

    requests: HubRequests

    def call(self, operation: Operation[In, Out], asked: In, seen: Digest | None = None) -> Out:
        """Return the operation's result; ``seen``: refuse if another version is current by now.

        Also raises `PilotbaseError` if the hub answers anything else.
        """
        answer = self._send(operation, asked, seen)
        if operation.gives is NOTHING:
            return None  # type: ignore[return-value]
        if operation.gives_file:
            name = unquote(answer.headers.get("content-disposition", "").partition("''")[2])
            return File.of(name, answer.body)  # type: ignore[return-value]
        try:
            return pydantic.TypeAdapter(operation.gives).validate_json(answer.body)
        except pydantic.ValidationError as error:
            raise PilotbaseError("protocol.hub_unreadable", found=operation.name) from error

    def _send(self, operation: Operation[In, Out], asked: In, seen: Digest | None) -> GuardedResponse:
        path, body = operation.address(asked), _sent(operation, asked)
        if not operation.writes:
            return self.requests.get(path, {name: _spelled(value) for name, value in body.items()})
        if operation.method == "DELETE":
            return self.requests.send("DELETE", path)
        if operation.takes_bytes:
            return self.requests.send(operation.method, path, body, {"Content-Type": operation.media})
        return self.requests.write(operation.method, path, body, seen)


def _sent(operation: Operation[In, Out], asked: In) -> Any:
    """Return the content without what is in the address; unset values are left to the hub's own default."""
    if operation.whole is not None:
        whole = getattr(asked, operation.whole)
        return whole if operation.takes_bytes else whole.model_dump(mode="json", by_alias=True, exclude_none=True)
    said = asked.model_fields_set.intersection(operation.others)
    return asked.model_dump(mode="json", by_alias=True, include=said)


def _spelled(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True)
class PartialDownload:
    """The part of a file received before the download was interrupted."""

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
    """Yield the parts of a file, one after the other; from where ``begun`` ends, if its bytes are still the same.

    A file whose copies are marked comes in one part. Also raises as `HubRequests.send`.
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
