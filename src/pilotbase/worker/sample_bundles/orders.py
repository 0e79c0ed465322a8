"""Sample bundles on a hub: a person orders one, the worker packs it, and the archive is kept for this person for a day.

The process that takes the order opens no hidden data: it queues the work, and later serves bytes that the worker has
sealed under a key of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from pilotbase.catalogue.records import load_record
from pilotbase.documents.certificate import Acceptance
from pilotbase.documents.hashes import Digest, digest_bytes, digest_json
from pilotbase.documents.permissions import Act, ReadScope
from pilotbase.documents.record import Record
from pilotbase.documents.report import Report
from pilotbase.documents.vocabularies import WorkKind
from pilotbase.vault.opening import named_by
from pilotbase.worker.base import Base
from pilotbase.worker.readings import record_for
from pilotbase.worker.retention_dates import KeptUntil, erase_over, seal, unseal
from pilotbase.worker.sample_bundles.packing import Bundle, pack_trial
from pilotbase.workspace.actors import Actor, parties
from pilotbase.workspace.failures import NotFoundError
from pilotbase.workspace.jobs import Job, JobState, enqueue, ordered_jobs
from pilotbase.workspace.log.entries import BUNDLE
from pilotbase.workspace.store import View

KIND = WorkKind.BUNDLE
KEPT = timedelta(days=1)
_KEY_FILE = "bundles.key"


class PackedBundle(KeptUntil):
    """Records that the base keeps a packed bundle for the person who ordered it: an encrypted blob, until erased."""

    document: Literal["packed-bundle/1"] = "packed-bundle/1"
    job: int
    report: Digest
    name: str


@dataclass(frozen=True)
class BundleOrder:
    """A person's order of the bundle of a trial, and the archive while it is kept."""

    report: Digest
    job: Job
    packed: PackedBundle | None

    @property
    def stands(self) -> bool:
        """Whether the order has a result, or one is still expected."""
        return self.packed is not None or not self.job.ended

    @property
    def failed(self) -> bool:
        return self.job.state is JobState.FAILED


def order_bundle(base: Base, view: View, subject: str, report: Digest | None) -> BundleOrder:
    """Return the actor's order of a trial's bundle, made now unless one is active; asking again changes nothing.

    ``report``: the round, by the digest of its report; None: the newest round that has one.

    Raises:
        NotFoundError: as `report_for`.
    """
    wanted = report_for(view, subject, report)
    found = find_order(base, view, subject, wanted)
    if found is None or not found.stands:
        with view.transaction("trial.bundle_ordered") as change:
            change.record("trial.bundle_ordered", [subject, wanted])
            enqueue(change, KIND, _order_of(view.actor, wanted), {"trial": subject, "report": wanted})
        found = find_order(base, view, subject, wanted)
        assert found is not None
    return found


def find_order(base: Base, view: View, subject: str, report: Digest | None) -> BundleOrder | None:
    """Return the actor's newest order of a bundle, or None; raises as `order_bundle`."""
    wanted = report_for(view, subject, report)
    jobs = ordered_jobs(view, _order_of(view.actor, wanted))
    return BundleOrder(wanted, jobs[0], _packed_by(base, jobs[0].identity)) if jobs else None


def fetch_bundle(base: Base, view: View, subject: str, report: Digest | None) -> Bundle:
    """Return the archive that was packed for the actor; the log records each time that it is given out.

    Raises:
        NotFoundError: as `report_for`; nothing was packed for this person, or its day is over.
        InvalidProofError: the bytes that were kept were altered.
    """
    order = find_order(base, view, subject, report)
    if order is None or order.packed is None:
        raise NotFoundError("bundle.not_kept")
    packed, job = order.packed, order.job
    sealed = base.lab.vault.blobs.get(packed.blob)
    plan = base.lab.view.load(packed.report, Report).plan or packed.report
    with view.transaction(BUNDLE) as change:
        subjects = [subject, packed.report, packed.blob, *named_by(change.connection, plan)]
        change.record(BUNDLE, subjects, {"bytes": len(sealed)})
    return Bundle(packed.name, unseal(base, _KEY_FILE, sealed, _context(job), (packed.blob, job.organisation)))


def pack_ordered(base: Base, job: Job) -> None:
    """Pack the bundle of ``job`` and keep it for the person who ordered it; a bundle packed earlier stays as it is.

    Raises as `pack_trial`.
    """
    if _packed_by(base, job.identity) is not None:
        return
    taker = base.lab.store.as_actor(Actor(job.organisation, frozenset(), job.person))
    bundle = pack_report(base, taker, job.payload["trial"], job.payload["report"])
    sealed = seal(base, _KEY_FILE, bundle.archive, _context(job))
    packed = PackedBundle(
        job=job.identity,
        report=job.payload["report"],
        name=bundle.name,
        blob=digest_bytes(sealed),
        until=base.lab.store.clock() + KEPT,
    )
    # The store names the bytes before they are kept: if the worker is killed in between, no bytes are left that nothing
    # would erase.
    with base.lab.view.transaction("trial.bundle_packed") as change:
        change.put(packed, parties(), owner=job.organisation, fields={"job": str(job.identity)})
    base.lab.vault.blobs.put(sealed)


def erase_packed(base: Base) -> int:
    """Erase expired bundles, and return how many."""
    return erase_over(base, PackedBundle, "trial.bundle_erased", lambda packed: packed.report)


def _packed_by(base: Base, job: int) -> PackedBundle | None:
    """Return what a job has packed, while it is kept."""
    made = base.lab.view.every(PackedBundle, {"job": str(job)})
    kept = (one for one in made if one.until > base.lab.store.clock() and base.lab.vault.blobs.exists(one.blob))
    return next(kept, None)


def _order_of(actor: Actor, report: Digest) -> str:
    """Return the name of a person's orders of a bundle in the queue: no record, so nobody else sees them there."""
    return f"{KIND}:{digest_json([report, actor.organisation, actor.person or ''])}"


def _context(job: Job) -> list[str]:
    return [KIND, str(job.identity), job.organisation, job.person or ""]


def pack_report(base: Base, taker: View, subject: str, report: Digest) -> Bundle:
    """Return the sample bundle of the commission's trial that ended in ``report``; raises as `pack_trial`."""
    plan = base.lab.view.load(report, Report).plan
    if plan is None:
        raise NotFoundError("bundle.no_report")
    record = load_record(base.lab.view, subject)[0]
    return pack_trial(base, taker, plan, _acceptance(base, record, report))


def _acceptance(base: Base, record: Record, report: Digest) -> Digest | None:
    """Return the newest opinion of the demand owner on a report."""
    opinions = (Act.ACCEPTANCE_GIVE, Act.ACCEPTANCE_REFUSE)
    given = [step.document for step in record.history if step.act in opinions and step.document is not None]
    about = (digest for digest in reversed(given) if base.lab.view.load(digest, Acceptance).report == report)
    return next(about, None)


def report_for(view: View, subject: str, report: Digest | None) -> Digest:
    """Return the report of a commission whose bundle the actor of ``view`` may take: the newest, or the one named.

    Raises:
        NotFoundError: the actor sees no such record, may not take its bundle, or there is no such report.
    """
    reports = reports_of(record_for(view, subject, ReadScope.BUNDLE))
    if not reports or report not in (None, *reports):
        raise NotFoundError("bundle.no_report")
    return report or reports[-1]


def reports_of(record: Record) -> tuple[Digest, ...]:
    """Return the reports of a commission, oldest first, including those of rounds before a re-run or a re-test."""
    made = (step.document for step in record.history if step.act is Act.TRIAL_REPORT)
    return tuple(dict.fromkeys(digest for digest in made if digest is not None))
