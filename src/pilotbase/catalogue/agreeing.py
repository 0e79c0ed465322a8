"""What must hold for a dataset to be published and for an agreement on it, one function a need.

Whoever takes up the published offer agrees at once, except where the owner's newest word to them on this dataset is
that an agreement was revoked: they then ask, and the owner consents or not. A day that has passed is no such word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from pilotbase.catalogue.records import everything, load_record
from pilotbase.catalogue.situation import Situation
from pilotbase.documents.agreement import Agreement
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.errors import BarredError, InputError, Issue
from pilotbase.documents.lifecycles import Precondition
from pilotbase.documents.moments import format_day
from pilotbase.documents.permissions import Act
from pilotbase.documents.publication import Lack, given_away, missing
from pilotbase.documents.record import Record
from pilotbase.documents.states import NEW, DatasetState
from pilotbase.documents.subjects import Subject, holder_of, record_head
from pilotbase.documents.terms import unmet
from pilotbase.documents.texts import text
from pilotbase.workspace.store import View
from pilotbase.workspace.terms_rows import agreements_between


def _complete_dataset(at: Situation) -> None:
    brought = at.move.brings
    dataset = brought if isinstance(brought, Dataset) else at.document("dataset", Dataset)
    issues = [
        Issue(file=at.record.subject, path=path, problem=problem) for path, problem in _lacking(dataset, at.record)
    ]
    if issues:
        raise InputError.from_issues(at.record.subject, issues)


def _lacking(dataset: Dataset, record: Record) -> Iterator[Lack]:
    yield from missing(dataset)
    yield from given_away(dataset)
    usage = dataset.usage
    if usage is not None and (usage.target, usage.assigner) != (dataset.subject, record.owner):
        yield Lack("usageInfo.target", text("terms.foreign_offer", dataset=dataset.subject, found=usage.target))
    for path, problem in unmet(usage) if usage is not None else ():
        yield Lack(f"usageInfo.{path}", problem)


def _later_version(at: Situation) -> None:
    kept, new = at.document("dataset", Dataset).version, at.brought(Dataset).version
    if _numbers(new) <= _numbers(kept):
        raise InputError("record.no_later_version", found=new, published=kept)


def _published_dataset(at: Situation) -> None:
    agreement = _agreement(at)
    head = at.base.head(record_head(agreement.dataset))
    record = at.base.load(head, Record) if head is not None else None
    if record is None or record.state != DatasetState.PUBLISHED or record.owner != agreement.assigner:
        raise BarredError("record.dataset_not_published", dataset=agreement.dataset)
    published = at.base.load(record.documents["dataset"], Dataset)
    is_new = NEW in at.row.sources
    if (is_new and agreement.dataset_version != published.digest()) or not agreement.covers(published.version):
        raise BarredError("record.other_dataset_version", dataset=agreement.dataset, version=published.version)


def _published_offer(at: Situation) -> None:
    agreement = at.brought(Agreement)
    published = at.base.load(agreement.dataset_version, Dataset)
    if published.usage != agreement.offer or agreement.version != published.version:
        raise BarredError("record.other_offer", dataset=agreement.dataset)


def _purposes_offered(at: Situation) -> None:
    agreement = at.brought(Agreement)
    unknown = [purpose for purpose in agreement.purposes if not agreement.offer.is_for(purpose)]
    if unknown:
        known = ", ".join(agreement.offer.purposes) or "–"
        raise InputError("terms.unknown_purpose", found=", ".join(unknown), allowed=known)


def _not_revoked(at: Situation) -> None:
    agreement = at.brought(Agreement)
    if is_revoked(at.base, agreement.dataset, agreement.assignee):
        raise BarredError("record.revoked_before", organisation=agreement.assignee, dataset=agreement.dataset)


def act_of_new(view: View, dataset: Subject) -> Act:
    """Return what a new agreement of the actor is: offered by the owner, taken up, or asked for after a revocation."""
    if holder_of(dataset) == view.actor.organisation:
        return Act.AGREEMENT_OFFER
    revoked = is_revoked(everything(view), dataset, view.actor.organisation)
    return Act.AGREEMENT_ASK if revoked else Act.AGREEMENT_TAKE


def is_revoked(base: View, dataset: Subject, organisation: str) -> bool:
    """Tell whether a dataset's newest word to an organisation is a revocation. ``base`` sees every document."""
    with base.reading() as connection:
        subjects = [row.subject for row in agreements_between(connection, dataset, organisation)]
    said = [
        (step.at, step.act is Act.AGREEMENT_REVOKE)
        for subject in subjects
        for step in load_record(base, subject)[0].history
        if step.act in _WORDS
    ]
    return max(said, default=(None, False))[1]


def _first_day(at: Situation) -> None:
    agreement = at.document("agreement", Agreement)
    if not agreement.has_begun(at.now) or agreement.is_over(at.now):
        raise BarredError("record.not_in_force", begins=agreement.begins or "–", ends=agreement.ends or "–")


def _last_day_over(at: Situation) -> None:
    agreement = at.document("agreement", Agreement)
    if not agreement.is_over(at.now):
        raise BarredError("record.not_over", ends=agreement.ends or "–", today=format_day(at.now))


def _agreement(at: Situation) -> Agreement:
    brought = at.move.brings
    return brought if isinstance(brought, Agreement) else at.document("agreement", Agreement)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


_WORDS = frozenset({Act.AGREEMENT_OFFER, Act.AGREEMENT_GRANT, Act.AGREEMENT_REVOKE, Act.AGREEMENT_RELEASE})
"""What is said to an organisation on a dataset's part."""

CHECKS: Mapping[Precondition, Callable[[Situation], None]] = {
    Precondition.COMPLETE_DATASET: _complete_dataset,
    Precondition.LATER_VERSION: _later_version,
    Precondition.PUBLISHED_DATASET: _published_dataset,
    Precondition.PUBLISHED_OFFER: _published_offer,
    Precondition.PURPOSES_OFFERED: _purposes_offered,
    Precondition.NOT_REVOKED: _not_revoked,
    Precondition.FIRST_DAY: _first_day,
    Precondition.LAST_DAY_OVER: _last_day_over,
}
