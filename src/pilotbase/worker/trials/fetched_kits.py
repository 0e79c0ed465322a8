"""Kits at public addresses: fetched once, kept by their content, and asked for again only if they have changed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pilotbase.documents.catalogues import wanted_language
from pilotbase.documents.errors import InputError
from pilotbase.documents.hashes import Digest, digest_bytes, digest_file, hex_of
from pilotbase.documents.texts import Text, text
from pilotbase.protocols.guarded_http import GuardedHttp, GuardedRequest, GuardedResponse
from pilotbase.worker.base import Base
from pilotbase.worker.trials.kits import MOST_FETCHED, is_kit, read_kit
from pilotbase.worker.whole_files import write_whole

_SECONDS, _LONGEST_REASON = 120.0, 400
_OK, _SAME = 200, 304


@dataclass(frozen=True)
class FetchedKit:
    """A kit that was fetched, or kept from before."""

    file: Path
    digest: Digest
    scenario: str

    def line(self, url: str) -> Text:
        """Return what a person compares with what the owner says."""
        return text("worker.kit_fetched", scenario=self.scenario, url=url, digest=self.digest)


def fetch_kit(base: Base, url: str) -> FetchedKit:
    """Return the kit at ``url``, kept in the home of this base.

    Its host is called even if it is on a private network, since a person named it.

    Raises:
        InputError: nothing is there, it is larger than `MOST_FETCHED`, or it is no kit.
        NoAnswerError: the other end does not answer.
    """
    place = base.lab.folder("kits") / f"{hex_of(digest_bytes(url.encode()))}.zip"
    mark = place.with_suffix(".etag")
    known = {"If-None-Match": mark.read_text("ascii")} if place.is_file() and mark.is_file() else {}
    spoken = {"Accept-Language": "zh-hans" if wanted_language() == "zh" else "en"}
    http = GuardedHttp((urlsplit(url).hostname or "",), _SECONDS)
    answer = http.send(GuardedRequest("GET", url, None, {**spoken, **known}, MOST_FETCHED + 1))
    if answer.status != _SAME or not known:
        if answer.status != _OK:
            raise InputError("worker.no_kit_there", url=url, said=_said(answer))
        if len(answer.body) > MOST_FETCHED:
            raise InputError("worker.kit_too_large", url=url, limit=MOST_FETCHED)
        mark.unlink(missing_ok=True)
        write_whole(place, answer.body)
        if not is_kit(place):
            place.unlink()
            raise InputError("worker.no_kit", file=url)
        mark.write_text(answer.headers.get("etag", ""), "ascii", "replace")
    return FetchedKit(place, digest_file(place), read_kit(place).scenario.name)


def _said(answer: GuardedResponse) -> str:
    """Return the reason that a hub gives (RFC 9457), or the status alone."""
    try:
        problem = json.loads(answer.body)
    except ValueError:
        return f"HTTP {answer.status}"
    title = problem.get("title") if isinstance(problem, dict) else None
    return str(title)[:_LONGEST_REASON] if title else f"HTTP {answer.status}"
