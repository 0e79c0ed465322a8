"""The catalogue of datasets on a hub, as the command line asks of it here and there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from pilotbase.documents.api.datasets import Contributions, DatasetPage, KeptTold, Preview
from pilotbase.documents.api.readers import Readers
from pilotbase.documents.api.records import SECTIONS, Erased
from pilotbase.documents.api.versions import DatasetVersion
from pilotbase.documents.errors import InputError, PilotbaseError
from pilotbase.documents.quality import QualityReport
from pilotbase.documents.subjects import kind_of, name_of
from pilotbase.protocols.guarded_http import Answer
from pilotbase.protocols.hub_client import HubClient, read_list, read_model

PART = 16 << 20
"""Bytes of a file that are asked for at a time."""
_PARTIAL = 206
_RANGE = re.compile(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18})")


@dataclass(frozen=True)
class Begun:
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


@dataclass(frozen=True)
class HubDatasets:
    """What is told of datasets on a hub; everything raises as `HubRequests.send`."""

    client: HubClient

    def found(self, asked: Mapping[str, str]) -> DatasetPage:
        """Return the newest datasets that are asked for, by ``q`` and the names of facets."""
        return read_model(DatasetPage, self.client.requests.get("/catalogue/datasets", dict(asked)))

    def contributions(self, owner: str) -> Contributions:
        """Return what came of the datasets that the caller sees, of ``owner`` only where one is named."""
        return read_model(Contributions, self.client.requests.get("/catalogue/contributions", {"owner": owner}))

    def keep(self, subject: str, paths: list[Path]) -> list[KeptTold]:
        """Send files of a dataset of one's own, to be kept; a worker makes the first rows of tables in a box."""
        kept = []
        for path in paths:
            if not path.is_file():
                raise InputError("dataset.folder_of_hub", folder=path)
            with path.open("rb") as content:
                upload = self.client.upload(path.name, content)
            place = f"/datasets/{name_of(subject)}/files"
            kept.append(read_model(KeptTold, self.client.requests.write("POST", place, {"upload": upload.identity})))
        return kept

    def files(self, subject: str) -> list[KeptTold]:
        """Return which files the hub keeps of a dataset."""
        return read_list(KeptTold, self.client.requests.get(f"/datasets/{name_of(subject)}/files"))

    def erase(self, subject: str, file: str) -> int:
        """Erase a file of every version of a dataset of one's own, or all, and return how many there were."""
        place = f"/datasets/{name_of(subject)}/files" + (f"/{quote(file, safe='')}" if file else "")
        return read_model(Erased, self.client.requests.write("DELETE", place, None)).erased

    def take(self, subject: str, file: str, purpose: str, begun: Begun | None = None) -> Iterator[FilePart]:
        """Yield the parts of a file, one after the other; from where ``begun`` ends, if its bytes are the same still.

        A file whose copies are marked comes in one part. Raises besides as `HubRequests.send`.
        """
        # The last byte that is there is asked for again: a range that begins at the end would be refused.
        at, tag = (max(begun.size - 1, 0), begun.tag) if begun is not None else (0, "")
        size = at + 1
        while at < size:
            answer = self._part(subject, file, purpose, (at, tag))
            start, size = _range_of(answer)
            if start not in (0, at) or (answer.status == _PARTIAL and not answer.body):
                raise PilotbaseError("protocol.hub_unreadable", found=file)
            tag, at = answer.headers.get("etag", ""), start + len(answer.body)
            yield FilePart(start, tag, answer.body)

    def preview(self, subject: str, purpose: str) -> Preview:
        """Return the first rows of a dataset."""
        place = f"/datasets/{name_of(subject)}/preview"
        return read_model(Preview, self.client.requests.get(place, {"purpose": purpose}))

    def readers(self, subject: str, asked: Mapping[str, str], before: int | None, limit: int) -> Readers:
        """Return who has read a dataset, or the hidden cases of a scenario."""
        place = f"/{SECTIONS[kind_of(subject)]}/{name_of(subject)}/readers"
        page = {"limit": str(limit)} if before is None else {"limit": str(limit), "before": str(before)}
        narrowed = {name: value for name, value in asked.items() if value}
        return read_model(Readers, self.client.requests.get(place, {**narrowed, **page}))

    def versions(self, subject: str, since: str) -> list[DatasetVersion]:
        """Return the versions of a dataset; ``since``: the newest, with what changed since that one."""
        place = f"/datasets/{name_of(subject)}/versions"
        return read_list(DatasetVersion, self.client.requests.get(place, {"since": since}))

    def grade(self, report: QualityReport) -> QualityReport:
        """Publish a report on a dataset of one's own, and return what of it is let out."""
        place = f"/datasets/{name_of(report.dataset)}/quality"
        return read_model(QualityReport, self.client.requests.write("PUT", place, report.to_json_value()))

    def _part(self, subject: str, file: str, purpose: str, begun: tuple[int, str]) -> Answer:
        place, (at, tag) = f"/datasets/{name_of(subject)}/files/{quote(file, safe='')}", begun
        asked = {"Range": f"bytes={at}-{at + PART - 1}", **({"If-Range": tag} if tag else {})}
        try:
            answer = self.client.requests.get(place, {"purpose": purpose}, asked)
        except PilotbaseError as error:
            if at or error.text.params.get("found") != "api.range":
                raise
            return Answer(200, b"")  # there is no first byte
        if int(answer.headers.get("content-length", 0)) > len(answer.body):
            raise PilotbaseError("protocol.hub_unreadable", found=file)
        return answer


def _range_of(answer: Answer) -> tuple[int, int]:
    """Return where the bytes of an answer begin, and the size of the whole file."""
    found = _RANGE.fullmatch(answer.headers.get("content-range", "")) if answer.status == _PARTIAL else None
    return (int(found[1]), int(found[2])) if found is not None else (0, len(answer.body))
