"""Private statistics of closed data and synthetic samples, ordered on a hub, and starter kits made with a sample.

The process that takes the order opens nothing. The worker spends first, then opens the kept table under the paid leave;
if it is killed in between it does not pay twice, and what was spent stays spent.
"""

from __future__ import annotations

import io
import tempfile
import zipfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Literal

from pilotbase.catalogue.application_draft import ApplicationRequest, draft_application, kit_name
from pilotbase.data.private.profiling import plan, request_of
from pilotbase.data.private.releasing import answer, answered, asked_of_gate, pay, require_answerable
from pilotbase.data.private.synthetic import Sample, make_sample, require_rows, write_sample
from pilotbase.data.quality.columns import RecordTable
from pilotbase.data.quality.release import least_cell
from pilotbase.data.terms.budgets import PrivacyBudget, budgets
from pilotbase.data.terms.gate import judge, require_permitted
from pilotbase.documents.api.statistics import NewStatistics
from pilotbase.documents.application import Runtime
from pilotbase.documents.base import Document
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.documents.files import File
from pilotbase.documents.hashes import Digest, digest_json, hex_of
from pilotbase.documents.nearest import offer
from pilotbase.documents.private import LeftOut, PrivacyTest, PrivateProfile, PrivateQuestion
from pilotbase.documents.progress import OnProgress, Progress
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.states import DatasetState
from pilotbase.documents.subjects import Subject, name_of
from pilotbase.documents.terms import TermsDecision
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Opening, Role, WorkKind
from pilotbase.trial.entering import may_show_sample
from pilotbase.worker.base import Base
from pilotbase.worker.datasets.kept_tables import ReadTexts, kept_table, opened_table, record_sets_kept
from pilotbase.workspace.actors import Actor, parties
from pilotbase.workspace.failures import ConflictError, NotFoundError
from pilotbase.workspace.jobs import Job, JobState, enqueue, jobs_under
from pilotbase.workspace.listings import find_listing, require_listing
from pilotbase.workspace.store import View

_MOST_SHOWN = 200


class StatisticsOrder(Document):
    """A request for private statistics. The asking organisation and the owner see it."""

    document: Literal["statistics-order/1"] = "statistics-order/1"
    question: PrivateQuestion
    rows: int = 0
    """Rows of the synthetic sample; 0: the profile alone."""
    asked_at: datetime

    @property
    def identity(self) -> str:
        """What distinguishes the order: the question and the number of records to make, 64 hex digits."""
        return hex_of(digest_json([self.question.to_json_value(), self.rows]))

    @property
    def head(self) -> str:
        return _head(self.identity)


class KeptSample(Document):
    """Records that the base keeps a synthetic sample: an archive of the table, its description and its records."""

    document: Literal["synthetic-sample/1"] = "synthetic-sample/1"
    dataset: Subject
    """The dataset it was made of."""
    profile: Digest
    rows: int
    name: str
    blob: Digest
    size: int


@dataclass(frozen=True)
class StatisticsRequest:
    """A question, its work, and its result as far as the reader sees it."""

    order: StatisticsOrder
    job: Job
    profile: PrivateProfile | None
    sample: KeptSample | None
    test: PrivacyTest | None


@dataclass(frozen=True)
class QuestionPrice:
    """The price of a question. ``paid``: it was asked before."""

    question: PrivateQuestion
    budget: PrivacyBudget
    decision: TermsDecision
    paid: bool
    fields: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    rows_error: int
    field_error: int
    pair_error: int | None

    @property
    def left_after(self) -> int | None:
        """The rest of the budget, in millionths of ε, after paying for the question; None: it has no limit."""
        left = self.budget.left
        return left if left is None or self.paid else left - self.question.epsilon


def offered(base: Base, view: View, dataset: Subject) -> list[str]:
    """Return the record sets of a closed, published dataset on which the actor may order statistics."""
    listing = find_listing(view, dataset)
    if listing is None or listing.state != DatasetState.PUBLISHED or not view.actor.organisation:
        return []
    described = view.load(listing.digest, Dataset)
    own = next((one for one in budgets(view, dataset) if one.organisation == view.actor.organisation), None)
    if described.opening is not Opening.COMPUTE_TO_DATA or own is None or own.limit == 0:
        return []
    return record_sets_kept(base, described)


def order_statistics(base: Base, view: View, dataset: Subject, asked: NewStatistics) -> StatisticsRequest:
    """Queue the answer to a question, and return the request; the same question asked again is the same order.

    Nothing is spent here. A failed order is queued again.

    Raises:
        NotFoundError: no such dataset is seen.
        InputError: as `require_answerable`; its table is not kept, too few or too many rows.
        RefusedError: the terms do not permit it, with every reason.
    """
    described, question = _question(base, view, dataset, asked)
    order = StatisticsOrder(question=question, rows=asked.rows, asked_at=view.store.clock())
    known = _known(view, order.identity)
    if known is None:
        require_permitted(view, asked_of_gate(question))
        try:
            _keep(view, order, described.owner.organisation)
        except ConflictError:
            if _known(view, order.identity) is None:
                raise
    elif _stopped(view, known):
        with view.transaction("statistics.ordered") as change:
            change.record("statistics.ordered", [dataset, known.identity])
            enqueue(change, WorkKind.STATISTICS, known.head, {"order": known.digest()})
    return find_asked(view, dataset, order.identity)


def price_of(base: Base, view: View, dataset: Subject, asked: NewStatistics) -> QuestionPrice:
    """Return the price of a question, from the contract and the ledger alone; raises as `order_statistics`."""
    described, question = _question(base, view, dataset, asked)
    planned = plan(described.record_set(question.record_set), question)
    known = _known(view, StatisticsOrder(question=question, rows=asked.rows, asked_at=view.store.clock()).identity)
    own = next((one for one in budgets(view, dataset) if one.organisation == question.by), None)
    return QuestionPrice(
        question=question,
        budget=own or PrivacyBudget(question.by, 0, 0),
        decision=judge(view, asked_of_gate(question)) if known is None else TermsDecision(()),
        paid=known is not None,
        fields=tuple(one.field.name for one in planned.grids),
        left_out=planned.left_out,
        rows_error=planned.noise.rows.error,
        field_error=planned.noise.cells.error,
        pair_error=planned.noise.pair.error if planned.pairs else None,
    )


def asked_of(view: View, dataset: Subject) -> list[StatisticsRequest]:
    """Return the questions about a dataset that the actor may see: their own; owner, operator and regulator see all."""
    found = view.find("statistics-order", {"dataset": dataset}, limit=_MOST_SHOWN)
    return [_found(view, stored.load(StatisticsOrder)) for stored in found]


def newest_sample(view: View, dataset: Subject) -> str | None:
    """Return the identity of the actor's newest question that has a synthetic sample; None if there is none."""
    own = (one for one in asked_of(view, dataset) if one.order.question.by == view.actor.organisation)
    return next((one.order.identity for one in own if one.sample is not None), None)


def find_asked(view: View, dataset: Subject, identity: str) -> StatisticsRequest:
    """Return a question that the actor may see; raises `NotFoundError`."""
    order = _known(view, identity)
    if order is None or order.question.dataset != dataset:
        raise NotFoundError("statistics.not_found", dataset=dataset)
    return _found(view, order)


def answer_ordered(base: Base, job: Job, on_progress: OnProgress, read: ReadTexts) -> None:
    """Answer the question of ``job`` for the organisation that ordered it: spent first, then opened, counted and kept.

    Raises:
        InputError, RefusedError: as `order_statistics`; ``private.too_near`` if a sample fails its privacy test.
    """
    order = base.lab.view.load(job.payload["order"], StatisticsOrder)
    taker, question = base.lab.store.as_actor(Actor(job.organisation, frozenset(), job.person)), order.question
    described = base.lab.view.load(question.version, Dataset)
    record_set = described.record_set(question.record_set)
    kept = kept_table(base, described, record_set)
    leave = pay(taker, described, question)
    if not order.rows and answered(taker, question) is not None:
        return
    on_progress(Progress(text("job.progress.statistics")))
    table = opened_table(base, kept, leave, record_set, read)
    profile = answer(taker, described, question, leave, table)
    if order.rows and sample_of(taker, order.identity) is None:
        on_progress(Progress(text("job.progress.sample")))
        keep_sample(base, order.identity, described, profile, (table, order.rows))


def _question(base: Base, view: View, dataset: Subject, asked: NewStatistics) -> tuple[Dataset, PrivateQuestion]:
    listing = require_listing(view, dataset)
    if not view.actor.organisation:
        raise RefusedError("workspace.not_yours", organisation="–", owner=name_of(dataset))
    described = view.load(listing.digest, Dataset)
    kept = record_sets_kept(base, described)
    wanted = asked.record_set or next(iter(kept), "")
    names = [one.name for one in described.record_sets]
    if asked.record_set and asked.record_set not in names:
        raise InputError("private.no_record_set", found=asked.record_set, allowed=offer(asked.record_set, names))
    if wanted not in kept:
        raise InputError("statistics.not_kept", dataset=dataset, found=wanted or "–")
    if asked.rows:
        require_rows(asked.rows)
    question = PrivateQuestion(
        dataset=dataset,
        version=described.digest(),
        record_set=wanted,
        by=view.actor.organisation,
        epsilon=asked.epsilon,
        cell_size=asked.cell_size or least_cell(described),
        at_most=asked.at_most if described.record_set(wanted).group is not None else 1,
        dates=tuple(asked.dates) or None,
        holdout=bool(asked.rows),
        name=asked.name,
    )
    require_answerable(view, described, question)
    return described, question


def _keep(view: View, order: StatisticsOrder, owner: str) -> None:
    with view.transaction("statistics.ordered") as change:
        digest = change.put(order, parties(owner), owner=order.question.by, fields={"dataset": order.question.dataset})
        change.set_head(order.head, digest, expected=None)
        change.record("statistics.ordered", [order.question.dataset, request_of(order.question)])
        enqueue(change, WorkKind.STATISTICS, order.head, {"order": digest})


def _known(view: View, identity: str) -> StatisticsOrder | None:
    return view.newest(_head(identity), StatisticsOrder)


def _head(identity: str) -> str:
    return f"{WorkKind.STATISTICS}:{identity}"


def _stopped(view: View, order: StatisticsOrder) -> bool:
    return jobs_under(view, order.head)[0].state in (JobState.FAILED, JobState.CANCELLED)


def _found(view: View, order: StatisticsOrder) -> StatisticsRequest:
    sample = sample_of(view, order.identity) if order.rows else None
    test = test_of(view, order.identity) if order.rows else None
    return StatisticsRequest(order, jobs_under(view, order.head)[0], answered(view, order.question), sample, test)


def keep_sample(
    base: Base, identity: str, dataset: Dataset, profile: PrivateProfile, made_of: tuple[RecordTable, int]
) -> None:
    """Make this many records from ``profile`` and keep them under the order's identity, with their privacy test.

    ``made_of``: the table that the profile describes, and its number of records. Only the owner sees the test.

    Raises as `make_sample`.
    """
    table, rows = made_of
    sample = make_sample(dataset, profile, table, rows)
    archive = _packed(sample)
    kept = KeptSample(
        dataset=dataset.subject,
        profile=profile.digest(),
        rows=rows,
        name=f"{sample.dataset.name}.zip",
        blob=base.lab.vault.blobs.put(archive),
        size=len(archive),
    )
    owner = dataset.owner.organisation
    with base.lab.view.transaction("statistics.sample_made") as change:
        digest = change.put(kept, parties(owner), owner=profile.question.by)
        change.set_head(_sample_head(identity), digest, expected=None)
        change.set_head(_test_head(identity), change.put(sample.test, parties(), owner=owner), expected=None)
        change.record("statistics.sample_made", [dataset.subject, digest, sample.dataset.digest()])


def sample_of(view: View, identity: str) -> KeptSample | None:
    """Return the sample of an order; None if there is none or the actor may not see it."""
    return view.newest(_sample_head(identity), KeptSample)


def test_of(view: View, identity: str) -> PrivacyTest | None:
    """Return the figures of a sample's privacy test, to the owner of its source; else None."""
    return view.newest(_test_head(identity), PrivacyTest)


def fetch_sample(base: Base, view: View, identity: str) -> File:
    """Return the archive of a sample to those who may see it; the log records each time that it is given out.

    Raises:
        NotFoundError: there is none, or the actor may not see it.
    """
    kept = sample_of(view, identity)
    if kept is None:
        raise NotFoundError("statistics.no_sample")
    with view.transaction("statistics.sample_taken") as change:
        change.record("statistics.sample_taken", [kept.dataset, kept.blob])
    return File(kept.name, kept.size, iter([base.lab.vault.blobs.get(kept.blob)]))


def _packed(sample: Sample) -> bytes:
    """Return the three files of a sample in one archive."""
    packed = io.BytesIO()
    with (
        tempfile.TemporaryDirectory(prefix="pilotbase-sample-") as scratch,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for path in write_sample(sample, Path(scratch)):
            archive.write(path, f"{sample.dataset.name}/{path.name}")
    return packed.getvalue()


def _sample_head(identity: str) -> str:
    return f"synthetic-sample:{identity}"


def _test_head(identity: str) -> str:
    return f"privacy-test:{identity}"


def synthetic_kit(base: Base, scenario: Scenario, supplier: str, runtime: Runtime = "python") -> bytes | None:
    """Return a zip with an application and the dataset's newest synthetic sample that ``supplier`` was given.

    Nothing of the scenario's table is read: the labels are those that the description declares. The log records that
    the sample is given out once more. None: the supplier may hold rows of the public sample, has no synthetic one, or
    nothing states the possible answers. Raises `InputError`: no application of this form can answer.
    """
    if may_show_sample(base.lab.view, scenario, supplier):
        return None
    dataset, view = scenario.data.dataset, base.lab.store.as_actor(Actor(supplier, frozenset({Role.SUPPLIER})))
    identity = newest_sample(view, dataset) if dataset is not None else None
    if dataset is None or identity is None:
        return None
    contract = scenario.contract(_classes(view, scenario, dataset))
    if contract.prediction.kind == "label" and not contract.prediction.classes:
        return None
    taken = fetch_sample(base, view, identity)
    packed, name = io.BytesIO(), kit_name(scenario)
    with (
        zipfile.ZipFile(io.BytesIO(b"".join(taken.pieces))) as sample,
        tempfile.TemporaryDirectory(dir=base.lab.folder("tmp")) as scratch,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        table = f"{PurePosixPath(taken.name).stem}.csv"
        wanted = ApplicationRequest(supplier, name, table, runtime)
        for path in draft_application(scenario, contract, Path(scratch, name), wanted):
            archive.write(path, path.relative_to(scratch))
        for member in sample.namelist():
            archive.writestr(PurePosixPath(member).name, sample.read(member))
    return packed.getvalue()


def _classes(view: View, scenario: Scenario, dataset: Subject) -> tuple[str, ...]:
    """Return the labels that the description declares, sorted; else the one that the scenario names."""
    listing = find_listing(view, dataset)
    record_sets = view.load(listing.digest, Dataset).record_sets if listing is not None else ()
    targets = (field for one in record_sets for field in one.fields if field.name == scenario.data.target)
    declared = next((field.values for field in targets if field.values), ())
    return tuple(sorted(declared)) or tuple(filter(None, [scenario.positive]))
