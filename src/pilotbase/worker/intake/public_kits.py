"""Kits at public addresses: a hub gives out those of open scenarios, suppliers fetch them.

The worker makes one kit for each version. A supplier's machine keeps it by its content, and asks if it has changed.

Everybody may have the public sample of an open scenario if its owner states a licence other than ``owner-only`` and
does not state that its cases may not leave. If the cases belong to a dataset, it must be open and its terms must give
its rows to anybody. Terms change, so they are checked whenever a kit is given out.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pilotbase.catalogue.records import load_record
from pilotbase.documents.base import Document
from pilotbase.documents.catalogues import wanted_language
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.files import File, write_whole
from pilotbase.documents.hashes import Digest, digest_bytes, digest_file, hex_of
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.scenario_data import OWNER_ONLY
from pilotbase.documents.states import ScenarioState
from pilotbase.documents.subjects import Subject
from pilotbase.documents.texts import Text, text
from pilotbase.protocols.guarded_http import GuardedHttp, GuardedRequest, GuardedResponse
from pilotbase.trial.entering import may_publish_sample
from pilotbase.trial.sealed import OpenedScenario
from pilotbase.worker.base import Base
from pilotbase.worker.intake.kept_files import kept_of, require_source_named
from pilotbase.worker.public import is_kit_due, order_kit, why_failed
from pilotbase.worker.trials.kits import MOST_FETCHED, is_kit, read_kit, require_packable, write_kit
from pilotbase.workspace.actors import parties
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.listings import require_listing
from pilotbase.workspace.store import View

_SECONDS, _LONGEST_REASON = 120.0, 400
_OK, _SAME = 200, 304


class PublicKit(Document):
    """Records that the base keeps the kit of a scenario version for everybody: a blob, until it is erased."""

    document: Literal["public-kit/1"] = "public-kit/1"
    scenario: Digest
    source: Digest
    """Digest of the owner's table, or of the world."""
    file: Digest
    size: int


def require_public(base: Base, scenario: Scenario) -> None:
    """Return if everybody may have the public sample of ``scenario``; raises `RefusedError` with the reason."""
    require_packable(base.lab, scenario)
    if not may_publish_sample(base.lab.view, scenario):
        raise RefusedError("worker.kit_not_for_everyone", dataset=scenario.data.dataset)
    if scenario.data.licence in (None, OWNER_ONLY):
        raise RefusedError("worker.kit_owner_only", scenario=scenario.name)
    if scenario.conditions is not None and scenario.conditions.data_may_leave is False:
        raise RefusedError("worker.kit_stays", scenario=scenario.name)


def lacks_kit(base: Base, subject: Subject) -> Digest | None:
    """Return the version of a scenario whose kit is to be made; None: it exists, or nobody may have it."""
    scenario = _open_version(base, subject)
    if scenario is None or find_kit(base, scenario) is not None or not _is_public(base, scenario):
        return None
    return scenario.digest() if kept_of(base, scenario.digest()) else None


def keep_kit(base: Base, sealed: OpenedScenario) -> PublicKit:
    """Keep the kit of a sealed scenario for everybody.

    Raises:
        InputError: the table is that of a closed dataset, which the scenario does not name.
        RefusedError: the kit is larger than `MOST_FETCHED`; and as `require_public` and `write_kit`.
    """
    scenario, vault = sealed.scenario, base.lab.vault
    require_public(base, scenario)
    require_source_named(vault, scenario, sealed.record.source)
    with tempfile.TemporaryDirectory(dir=base.lab.folder("tmp")) as scratch:
        place = Path(scratch, _name(scenario))
        write_kit(base.lab, sealed, place)
        if (size := place.stat().st_size) > MOST_FETCHED:
            raise RefusedError("worker.kit_over_limit", scenario=scenario.name, size=size, limit=MOST_FETCHED)
        content = place.read_bytes()
    kit = PublicKit(
        scenario=scenario.digest(), source=sealed.record.source, file=digest_bytes(content), size=len(content)
    )
    with base.lab.view.transaction("scenario.kit_kept") as change:
        change.put(kit, parties(), owner=scenario.owner.organisation, fields={"scenario": kit.scenario})
        change.record("scenario.kit_kept", [scenario.subject, kit.scenario, kit.file])
    vault.blobs.put(content)  # named first: a worker killed in between leaves no bytes that nothing erases
    return kit


def find_kit(base: Base, scenario: Scenario) -> PublicKit | None:
    """Return the kit that is kept of a scenario version; None: none is made yet, or it was erased."""
    made = base.lab.view.every(PublicKit, {"scenario": scenario.digest()})
    return next((kit for kit in made if base.lab.vault.blobs.exists(kit.file)), None)


def kit_told(base: Base, view: View, scenario: Scenario) -> PublicKit | Text | None:
    """Return the kit of an open scenario version, or why its owner finds none; None: not open or not made yet."""
    if _open_version(base, scenario.subject) != scenario:
        return None
    try:
        require_public(base, scenario)
        found = find_kit(base, scenario) or why_failed(base.lab.view, scenario.digest())
    except RefusedError as error:
        found = error.text
    return found if isinstance(found, PublicKit) or view.actor.organisation == scenario.owner.organisation else None


def take_kit(base: Base, view: View, subject: Subject) -> File:
    """Return the kit of an open scenario, which everybody sees.

    Raises:
        NotFoundError: no open scenario is seen, or there is no kit: it is not made yet, or its cases turned out to be
            those of a closed dataset, which is not named here.
        RefusedError: as `require_public`.
    """
    listing = require_listing(view, subject)
    scenario = _open_version(base, listing.subject)
    if scenario is None:
        raise NotFoundError("record.not_found", subject=subject)
    require_public(base, scenario)
    kit = find_kit(base, scenario)
    if kit is None or not _is_source_named(base, scenario, kit):
        raise NotFoundError("worker.kit_not_made", scenario=scenario.name)
    return File(_name(scenario), kit.size, base.lab.vault.blobs.chunks(kit.file), tag=kit.file)


def tend_kits(base: Base) -> int:
    """Order the kits that open scenarios lack, erase those that nobody may have any more; return the number erased."""
    made = [kit for kit in base.lab.view.every(PublicKit) if base.lab.vault.blobs.exists(kit.file)]
    for version in {files.scenario for _, files in kept_of(base, None)} - {kit.scenario for kit in made}:
        subject = base.lab.view.load(version, Scenario).subject
        if lacks_kit(base, subject) == version and is_kit_due(base.lab.view, version):
            order_kit(base.lab.view, subject, version)
    withdrawn = [kit for kit in made if not _stands(base, kit)]
    for kit in withdrawn:
        with base.lab.view.transaction("scenario.kit_erased") as change:
            change.record("scenario.kit_erased", [kit.scenario, kit.file])
        base.lab.vault.blobs.remove(kit.file)
    return len(withdrawn)


def _stands(base: Base, kit: PublicKit) -> bool:
    scenario = base.lab.view.load(kit.scenario, Scenario)
    is_public = _open_version(base, scenario.subject) == scenario and _is_public(base, scenario)
    return is_public and _is_source_named(base, scenario, kit)


def _is_source_named(base: Base, scenario: Scenario, kit: PublicKit) -> bool:
    try:
        require_source_named(base.lab.vault, scenario, kit.source)
    except InputError:
        return False
    return True


def _is_public(base: Base, scenario: Scenario) -> bool:
    try:
        require_public(base, scenario)
    except RefusedError:
        return False
    return True


def _open_version(base: Base, subject: Subject) -> Scenario | None:
    """Return the version of a scenario that is open; None: it is not."""
    record, _ = load_record(base.lab.view, subject)
    if record.state != ScenarioState.OPEN:
        return None
    return base.lab.view.load(record.documents["scenario"], Scenario)


def _name(scenario: Scenario) -> str:
    return f"{scenario.name}.kit.zip"


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
