"""A typed client of a hub, made of the documents that the hub's API takes and gives.

hub = HubClient(HubRequests("https://hub.example", token))
for one in hub.records("scenarios", state="open"):
    print(one.subject)
hub.take("commission:7f3a9c", Act.COMMISSION_AGREE)
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import BinaryIO, TypeVar

import pydantic

from pilotbase.documents.agreement import Agreement
from pilotbase.documents.api.people import Caller
from pilotbase.documents.api.records import (
    SECTIONS,
    ListedRecord,
    PossibleStep,
    RecordPage,
    Section,
)
from pilotbase.documents.api.trials import OrderedBundle
from pilotbase.documents.api.uploads import MAXIMUM_PIECE, NewUpload, OpenUpload
from pilotbase.documents.base import Part
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.hashes import Digest, digest_of
from pilotbase.documents.organisation import Organisation
from pilotbase.documents.permissions import Act
from pilotbase.documents.progress import OnProgress, Progress
from pilotbase.documents.record import ApplicationVersion, Commission, Record
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.subjects import kind_of
from pilotbase.documents.texts import text
from pilotbase.operations import records, uploads
from pilotbase.operations.operation import NoInput
from pilotbase.protocols.guarded_http import GuardedResponse
from pilotbase.protocols.hub_calls import HubCalls
from pilotbase.protocols.hub_requests import HubRequests

_PACKING_SECONDS = 1.0
Model = TypeVar("Model", bound=pydantic.BaseModel)
Content = Scenario | ApplicationVersion | Organisation | Dataset


@dataclass(frozen=True)
class HubClient:
    """What a person may do on a hub; everything raises as `HubRequests.send`."""

    requests: HubRequests

    def me(self) -> Caller:
        """Return who the token acts for."""
        return read_model(Caller, self.requests.get("/me"))

    def page(self, section: Section, after: str | None = None, **asked: str) -> RecordPage:
        """Return a page of records; ``asked``: q, state, sector, owner, limit."""
        return read_model(RecordPage, self.requests.get(f"/{section}", {**asked, "after": after or ""}))

    def records(self, section: Section, **asked: str) -> Iterator[ListedRecord]:
        """Iterate all records of a section, newest first, page by page."""
        after: str | None = ""
        while after is not None:
            page = self.page(section, after, **asked)
            yield from page.items
            after = page.next

    def content(self, subject: str) -> Content | Commission | Agreement:
        """Return the newest content of ``subject``: of ``scenario:plant/milling`` a `Scenario`."""
        model = records.CONTENTS[kind_of(subject)]
        found: Content | Commission | Agreement = read_model(model, self.requests.get(_path(subject)))
        return found

    def record(self, subject: str) -> Record:
        """Return where ``subject`` stands; its digest is what `take` wants as ``seen``."""
        return read_model(Record, self.requests.get(f"{_path(subject)}/record"))

    def steps(self, subject: str) -> list[PossibleStep]:
        """Return what the caller may do to ``subject`` now, and what stands against it."""
        return read_list(PossibleStep, self.requests.get(f"{_path(subject)}/acts"))

    def take(self, subject: str, act: Act, brings: Part | str | None = None, seen: Digest | None = None) -> Record:
        """Take a step and return the record after it; ``brings``: what is handed in with it, or a note."""
        value = brings.to_json_value() if isinstance(brings, Part) else {"note": brings or ""}
        return read_model(Record, self.requests.write("POST", f"{_path(subject)}/acts/{act}", value, seen))

    def propose(self, terms: Commission) -> Record:
        """Propose a trial and return its record."""
        return read_model(Record, self.requests.write("POST", "/trials", terms.to_json_value()))

    def agree(self, terms: Agreement) -> Record:
        """Offer an agreement on a dataset of one's own, or take up a published offer, and return its record."""
        return read_model(Record, self.requests.write("POST", "/agreements", terms.to_json_value()))

    def save(self, subject: str, content: Content, seen: Digest | None = None, why_holds: bool = False) -> Record:
        """Save the content of ``subject``; ``seen``: the digest of the content that it replaces.

        ``why_holds``: the reasons beside the changed criteria of a scenario hold for the new ones too.
        """
        path = _path(subject) + ("?why_holds=true" if why_holds else "")
        return read_model(Record, self.requests.write("PUT", path, content.to_json_value(), seen))

    def bundle(self, trial: str, report: Digest = "", on_progress: OnProgress = lambda _: None) -> bytes:
        """Wait until the sample bundle of a trial is packed and return the archive; it is packed for the caller alone.

        That the caller took it stands in the hub's log. ``report``: of which round, by the digest of its report; the
        newest that has one when not given. Packing that failed before is tried again.
        """
        place, asked = f"/trials/{trial}/bundle", {"report": report, "again": "true"}
        answer = self.requests.get(place, asked)
        while answer.status == HTTPStatus.ACCEPTED:
            on_progress(Progress(text("job.progress.bundle")))
            self.requests.sleep(_PACKING_SECONDS)
            answer = self.requests.get(place, {"report": read_model(OrderedBundle, answer).report})
        if int(answer.headers.get("content-length", 0)) > len(answer.body):
            raise PilotbaseError("protocol.hub_unreadable", found=f"{trial}.zip")
        return answer.body

    def upload(self, name: str, content: BinaryIO, on_progress: OnProgress = lambda _: None) -> OpenUpload:
        """Send a seekable file in pieces and return the finished upload; one that broke off before goes on."""
        calls, wanted = HubCalls(self.requests), _announced(name, content)
        begun = calls.call(uploads.LIST, NoInput())
        upload = next((one for one in begun if (one.size, one.digest) == (wanted.size, wanted.digest)), None)
        if upload is None:
            upload = calls.call(uploads.START, wanted)
        while upload.received < upload.size:
            on_progress(Progress(text("protocol.sending", name=name), upload.received, upload.size))
            upload = _send_piece(calls, upload, content)
        on_progress(Progress(text("protocol.sending", name=name), upload.size, upload.size))
        if upload.finished:
            return upload
        return calls.call(uploads.FINISH, uploads.OfUpload(identity=upload.identity))

    def hand_in(
        self, kind: str, upload: OpenUpload, said: Mapping[str, str | bool], seen: Digest | None = None
    ) -> Record:
        """Make the zipped folder of an upload a version of a ``scenario`` or an ``application``; return its record.

        ``said``: note; of an application the scenario that it is made for; of a scenario ``new`` and ``why_holds``.
        """
        value = {"upload": upload.identity, **said}
        return read_model(Record, self.requests.write("POST", f"/{SECTIONS[kind]}", value, seen))


def _send_piece(calls: HubCalls, upload: OpenUpload, content: BinaryIO) -> OpenUpload:
    """Send the next piece; where its answer is lost or it comes twice, the hub says how far it is."""
    content.seek(upload.received)
    piece = uploads.Piece(identity=upload.identity, start=upload.received, piece=content.read(MAXIMUM_PIECE))
    try:
        return calls.call(uploads.SEND, piece)
    except PilotbaseError as error:
        found = calls.call(uploads.SHOW, uploads.OfUpload(identity=upload.identity))
        if found.received == upload.received:
            raise error from None
        return found


def _announced(name: str, content: BinaryIO) -> NewUpload:
    hashed, size = hashlib.sha256(), 0
    content.seek(0)
    while piece := content.read(1 << 20):
        hashed.update(piece)
        size += len(piece)
    return NewUpload(name=name, size=size, digest=digest_of(hashed.hexdigest()))


def _path(subject: str) -> str:
    kind, _, name = subject.partition(":")
    return f"/{SECTIONS[kind]}/{name}"


def read_model(model: type[Model], answer: GuardedResponse) -> Model:
    """Return what the hub has answered; raises `PilotbaseError` for anything else."""
    try:
        return model.model_validate_json(answer.body)
    except pydantic.ValidationError as error:
        raise PilotbaseError("protocol.hub_unreadable", found=model.__name__) from error


def read_list(model: type[Model], answer: GuardedResponse) -> list[Model]:
    """Return the list that the hub has answered; raises `PilotbaseError` for anything else."""
    try:
        return pydantic.TypeAdapter(list[model]).validate_json(answer.body)  # type: ignore[valid-type]
    except pydantic.ValidationError as error:
        raise PilotbaseError("protocol.hub_unreadable", found=model.__name__) from error
