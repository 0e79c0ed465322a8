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
from typing import Any, BinaryIO, TypeVar

import pydantic

from pilotbase.documents.agreement import Agreement
from pilotbase.documents.api.people import Caller
from pilotbase.documents.api.records import SECTIONS, ListedRecord, PossibleStep, RecordPage, Section
from pilotbase.documents.api.trials import OrderedBundle
from pilotbase.documents.api.uploads import MAXIMUM_PIECE, NewUpload, OpenUpload
from pilotbase.documents.base import Part
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.errors import InputError, PilotbaseError, offer
from pilotbase.documents.hashes import Digest, digest_of
from pilotbase.documents.lifecycles import kind_moved
from pilotbase.documents.loading import parse_request
from pilotbase.documents.permissions import Act
from pilotbase.documents.progress import OnProgress, Progress
from pilotbase.documents.record import ApplicationVersion, Commission, Record
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.subjects import Organisation, kind_of, name_of
from pilotbase.documents.texts import text
from pilotbase.documents.world import WorldCheck
from pilotbase.operations import people, records, uploads
from pilotbase.operations.operation import NoInput, Operation, Out
from pilotbase.operations.steps import STEPS
from pilotbase.protocols.guarded_http import GuardedResponse
from pilotbase.protocols.hub_requests import HubCalls, HubRequests

_WORKING_SECONDS = 1.0
Model = TypeVar("Model", bound=pydantic.BaseModel)
Content = Scenario | ApplicationVersion | Organisation | Dataset


@dataclass(frozen=True)
class HubClient:
    """A person's actions on a hub; everything raises as `HubRequests.send`."""

    requests: HubRequests

    def me(self) -> Caller:
        """Return who the token acts for."""
        return self.calls.call(people.ME, NoInput())

    @property
    def calls(self) -> HubCalls:
        """Return what calls any operation that is declared."""
        return HubCalls(self.requests)

    def page(self, section: Section, after: str | None = None, **asked: str) -> RecordPage:
        """Return a page of records; ``asked``: q, state, sector, owner, limit."""
        listing = next(records.LISTS[kind] for kind, named in SECTIONS.items() if named == section)
        return self.calls.call(listing, parse_request(listing.takes, {**asked, "after": after}))

    def records(self, section: Section, **asked: str) -> Iterator[ListedRecord]:
        """Iterate all records of a section, newest first, page by page."""
        after: str | None = ""
        while after is not None:
            page = self.page(section, after, **asked)
            yield from page.items
            after = page.next

    def content(self, subject: str) -> Content | Commission | Agreement:
        """Return the newest content of ``subject``: of ``scenario:plant/milling`` a `Scenario`."""
        found: Content | Commission | Agreement = self._call(records.CONTENT[kind_of(subject)], subject)
        return found

    def record(self, subject: str) -> Record:
        """Return the record of ``subject``; its digest is the ``seen`` of `take`."""
        return self._call(records.STANDS[kind_of(subject)], subject)

    def steps(self, subject: str) -> list[PossibleStep]:
        """Return the caller's possible steps on ``subject`` now, and what blocks them."""
        return self._call(records.ACTS[kind_of(subject)], subject)

    def take(
        self,
        subject: str,
        act: Act,
        brings: Part | str | None = None,
        seen: Digest | None = None,
        although: bool = False,
    ) -> Record:
        """Take a step and return the record after it; ``brings``: the document submitted with it, or a note.

        ``although``: confirms that the cases of a scenario can prove nothing.

        Also raises `InputError` for a step that doesn't exist for such a record.
        """
        known = [one for one in STEPS if kind_moved(one) == kind_of(subject)]
        if act not in known:
            raise InputError("cli.unknown_act", found=act, allowed=offer(act, known))
        confirmed = {"although": True} if although else {}
        brought = brings if isinstance(brings, Part) else {"note": brings or "", **confirmed}
        return self._call(STEPS[act], subject, seen, brought=brought)

    def save(self, subject: str, content: Content, seen: Digest | None = None, why_holds: bool = False) -> Record:
        """Save the content of ``subject``; ``seen``: the digest of the content that it replaces.

        ``why_holds``: the reasons beside the changed criteria of a scenario hold for the new ones too.
        """
        said = {"sent": content, **({"why_holds": True} if why_holds else {})}
        return self._call(records.SAVE[kind_of(subject)], subject, seen, **said)

    def bundle(self, trial: str, report: Digest = "", on_progress: OnProgress = lambda _: None) -> bytes:
        """Wait until the sample bundle of a trial is packed and return the archive; it is packed for this caller.

        The hub logs that the caller took it. ``report``: the round, by its report's digest; by default the newest round
        with a report. If packing failed before, it is tried again.
        """
        place, asked = f"/trials/{trial}/bundle", {"report": report, "again": "true"}
        answer = self.requests.get(place, asked)
        while answer.status == HTTPStatus.ACCEPTED:
            on_progress(Progress(text("job.progress.bundle")))
            self.requests.sleep(_WORKING_SECONDS)
            answer = self.requests.get(place, {"report": _read(OrderedBundle, answer).report})
        if int(answer.headers.get("content-length", 0)) > len(answer.body):
            raise PilotbaseError("protocol.hub_unreadable", found=f"{trial}.zip")
        return answer.body

    def upload(self, name: str, content: BinaryIO, on_progress: OnProgress = lambda _: None) -> OpenUpload:
        """Send a seekable file in pieces and return the finished upload; one that broke off before goes on."""
        calls, wanted = self.calls, _announced(name, content)
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

    def check_world(self, name: str, content: BinaryIO, on_progress: OnProgress = lambda _: None) -> WorldCheck:
        """Send the zipped folder of a world, and return what the gates find once the hub's worker has tried them.

        Also raises `InputError` if the folder can't be read as a world, or the work failed.
        """
        upload = uploads.OfUpload(identity=self.upload(name, content, on_progress).identity)
        found = self.calls.call(uploads.CHECK_WORLD, upload)
        while found.check is None:
            if found.refused or found.progress.state == "failed":
                why = [found.refused or found.progress.reason or "", *(one.detail for one in found.problems)]
                raise InputError("worlds.not_checked", name=name, reason="\n".join(why))
            on_progress(Progress(text("job.kind.world")))
            self.requests.sleep(_WORKING_SECONDS)
            found = self.calls.call(uploads.WORLD, upload)
        return found.check

    def hand_in(
        self, kind: str, upload: OpenUpload, said: Mapping[str, str | bool], seen: Digest | None = None
    ) -> Record:
        """Make the zipped folder of an upload a version of a ``scenario`` or an ``application``; return its record.

        ``said``: note; of an application the scenario that it is made for; of a scenario ``new`` and ``why_holds``.
        """
        operation = records.HAND_IN[kind]
        wanted = parse_request(operation.takes, {"upload": upload.identity, **said})
        return self.calls.call(operation, wanted, seen)

    def _call(self, operation: Operation[Any, Out], subject: str, seen: Digest | None = None, **said: object) -> Out:
        """Call an operation on one record, named by ``subject``."""
        owner, _, name = name_of(subject).rpartition("/")
        where = {"owner": owner, "name": name} if "owner" in operation.in_path else {"name": name_of(subject)}
        return self.calls.call(operation, parse_request(operation.takes, {**where, **said}, subject), seen)


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


def _read(model: type[Model], answer: GuardedResponse) -> Model:
    """Parse the hub's answer; raises `PilotbaseError` for anything else."""
    try:
        return model.model_validate_json(answer.body)
    except pydantic.ValidationError as error:
        raise PilotbaseError("protocol.hub_unreadable", found=model.__name__) from error
