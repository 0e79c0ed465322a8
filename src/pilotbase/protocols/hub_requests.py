"""Requests to a hub: with a token, tried again where that is safe, errors in our own tree.

The hub is named by its user, so it may stand on a private address; a token never goes out without https except to this
very machine.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import pydantic

from pilotbase.documents.api.shapes import Problem, ProblemIssue
from pilotbase.documents.errors import InputError, Issue, PilotbaseError, RefusedError
from pilotbase.documents.texts import Language, text
from pilotbase.protocols.guarded_http import GuardedHttp, GuardedRequest, GuardedResponse, NoAnswerError

MAXIMUM_ANSWER = 64 << 20
TRIES = 5
MOST_SECONDS_OF_WAITING = 60
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_PASSING = (429, 502, 503, 504)
_INPUT = (400, 404, 405, 413, 415, 422)
_REFUSED = (401, 403, 429)


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
        """Return what is at ``path`` under /api; raises as `send`."""
        asked = "&".join(f"{name}={quote(value, safe='')}" for name, value in (query or {}).items() if value)
        return self.send("GET", f"{path}?{asked}" if asked else path, headers=headers)

    def write(self, method: str, path: str, value: Any, seen: str | None = None) -> GuardedResponse:
        """Send ``value`` as JSON once, however often it has to be sent; ``seen``: only where that still stands.

        Raises as `send`.
        """
        headers = {"Content-Type": "application/json", "Idempotency-Key": secrets.token_hex(16)}
        if seen is not None:
            headers["If-Match"] = f'"{seen}"'
        return self.send(method, path, json.dumps(value).encode(), headers)

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> GuardedResponse:
        """Return the answer; what is only passing is waited for.

        Raises:
            InputError: what was asked for is wrong, or does not exist (for this caller).
            RefusedError: login, role, state or limits stand against it.
            NoAnswerError: the hub was not reached, after several tries.
            PilotbaseError: others were first, or the hub failed.
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
        for wait in self._waits():
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

    def _waits(self) -> list[float | None]:
        return [*(0.5 * 2**number for number in range(TRIES - 1)), None]


def problem_of(answer: GuardedResponse) -> PilotbaseError:
    """Return the error that problem details tell of, in the hub's own words."""
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
