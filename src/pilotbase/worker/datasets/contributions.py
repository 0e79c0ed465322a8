"""The ledger of contributions: who gave which data, how often they are used, and what is built on them.

Only their parties see uses and agreements. Everybody else sees them as figures under the rule of `catalogue.figures`:
counted over so many organisations that a number describes none of them. Scenarios, certificates and services are named
to those who can see them anyway.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import TypeVar

from pilotbase.catalogue.figures import FEWEST_PARTIES, FEWEST_TRIALS
from pilotbase.catalogue.records import everything, records_of
from pilotbase.certificate.status import certificate_in
from pilotbase.documents.api.datasets import Contribution, Contributions, OwnerContributions
from pilotbase.documents.api.shapes import filled
from pilotbase.documents.dataset import Dataset
from pilotbase.documents.hashes import Digest
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import Record
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.service import CertifiedRoute
from pilotbase.service.registry import services_of
from pilotbase.workspace.listings import MAXIMUM_PAGE, Listing, Query, every_listing, find_listing
from pilotbase.workspace.store import View
from pilotbase.workspace.terms_rows import AgreementRow
from pilotbase.workspace.uses import UseCount, count_uses, holding_agreements

T = TypeVar("T")
_ALL = 10_000_000
_REMEMBERED = 10_000
"""Scenarios whose dataset is not read again."""
_PUBLISHES = frozenset({Act.DATASET_PUBLISH, Act.DATASET_REVISE})


def contributions(view: View, owner: str = "") -> Contributions:
    """Return the contributions of the datasets that ``view`` sees; with ``owner``, of that owner's only."""
    built, told = _Built.of_all(view), list[Contribution]()
    for listed in _batches(every_listing(view, Query("dataset", owner=owner))):
        told += _of(view, listed, built)
    by_owner = defaultdict[str, list[Contribution]](list)
    for one in told:
        by_owner[one.owner].append(one)
    owners = [_summed(name, by_owner[name]) for name in sorted(by_owner)]
    return Contributions(owners=owners, datasets=told, fewest_uses=FEWEST_TRIALS, fewest_organisations=FEWEST_PARTIES)


def contribution(view: View, dataset: str) -> Contribution | None:
    """Return the contribution of one dataset; None if ``view`` sees none of that name."""
    listing = find_listing(view, dataset)
    return None if listing is None else next(iter(_of(view, [listing], _Built.of_all(view))), None)


def _of(view: View, listed: Sequence[Listing], built: _Built) -> list[Contribution]:
    subjects = [one.subject for one in listed]
    with view.reading() as connection:
        uses = count_uses(connection, subjects)
        agreements = holding_agreements(connection, subjects, view.store.clock())
    records, described = records_of(everything(view), subjects), view.get_all([one.digest for one in listed])
    return [
        _told(view, one, described[one.digest].load(Dataset), _Counts.of(one, uses, agreements, records), built)
        for one in listed
        if one.digest in described
    ]


@dataclass(frozen=True)
class _Counts:
    """The store's counts for one dataset, and who may see them."""

    record: Record | None
    uses: Sequence[UseCount]
    agreements: Sequence[AgreementRow]

    @classmethod
    def of(
        cls,
        listing: Listing,
        uses: Iterable[UseCount],
        agreements: Iterable[AgreementRow],
        records: Mapping[str, Record],
    ) -> _Counts:
        of_others = [one for one in uses if one.dataset == listing.subject and one.organisation != listing.owner]
        held = [one for one in agreements if one.dataset == listing.subject]
        return cls(records.get(listing.subject), of_others, held)

    @property
    def users(self) -> frozenset[str]:
        return frozenset(one.organisation for one in self.uses)

    @property
    def number(self) -> int:
        return sum(one.uses for one in self.uses)


@dataclass(frozen=True)
class _Built:
    """Others' work that is built on each dataset, as far as the actor sees it: dataset → names of that work."""

    scenarios: Mapping[str, Sequence[str]]
    certificates: Mapping[str, Sequence[str]]
    services: Mapping[str, Sequence[str]]

    @classmethod
    def of_all(cls, view: View) -> _Built:
        certified = {digest: (dataset, serial) for digest, dataset, serial in _certified(view)}
        serving = {
            (certified[route.certificate][0], service.name)
            for service, _ in services_of(view)
            for route in service.routes
            if isinstance(route, CertifiedRoute) and route.certificate in certified
        }
        scenarios = ((dataset, subject) for subject, dataset in _scenarios(view))
        return cls(_by_first(scenarios), _by_first(sorted(certified.values())), _by_first(sorted(serving)))


def _by_first(pairs: Iterable[tuple[str, str]]) -> Mapping[str, Sequence[str]]:
    found = defaultdict[str, list[str]](list)
    for first, second in pairs:
        found[first].append(second)
    return dict(found)


def _told(view: View, listing: Listing, dataset: Dataset, counts: _Counts, built: _Built) -> Contribution:
    whole = view.actor.sees_all or view.actor.organisation == listing.owner
    uses_tell = whole or (counts.number >= FEWEST_TRIALS and len(counts.users) >= FEWEST_PARTIES)
    parties = {one.assignee for one in counts.agreements}
    agreements_tell = whole or (len(counts.agreements) >= FEWEST_TRIALS and len(parties) >= FEWEST_PARTIES)
    published = [step.at for step in counts.record.history if step.act in _PUBLISHES] if counts.record else []
    by_channel: Counter[str] = Counter()
    for one in counts.uses if whole else ():
        by_channel[one.channel] += one.uses
    return filled(
        Contribution,
        listing,
        dataset=listing.subject,
        version=dataset.version,
        versions=len(published),
        published_at=published[0] if published else None,
        agreements=len(counts.agreements) if agreements_tell else None,
        organisations=len(counts.users) if uses_tell else None,
        uses=counts.number if uses_tell else None,
        uses_by=dict(sorted(by_channel.items())),
        rows=sum(one.rows for one in counts.uses) if uses_tell else None,
        scenarios=list(built.scenarios.get(listing.subject, ())),
        certificates=list(built.certificates.get(listing.subject, ())),
        services=list(built.services.get(listing.subject, ())),
    )


def _summed(owner: str, parts: Sequence[Contribution]) -> OwnerContributions:
    return OwnerContributions(
        owner=owner,
        datasets=len(parts),
        agreements=_sum([one.agreements for one in parts]),
        uses=_sum([one.uses for one in parts]),
        rows=_sum([one.rows for one in parts]),
        scenarios=len({name for one in parts for name in one.scenarios}),
        certificates=len({name for one in parts for name in one.certificates}),
        services=len({name for one in parts for name in one.services}),
    )


def _sum(numbers: Sequence[int | None]) -> int | None:
    """Return the sum, or None if a part is withheld: the sum would reveal it."""
    return None if None in numbers else sum(number for number in numbers if number is not None)


def _scenarios(view: View) -> Iterator[tuple[str, str]]:
    """Yield (subject, dataset) of the scenarios that the actor sees and whose newest version names a dataset."""
    for listed in _batches(every_listing(view, Query("scenario"))):
        found = view.get_all([one.digest for one in listed])
        for one in listed:
            dataset = _dataset_of(found[one.digest].body) if one.digest in found else None
            if dataset is not None:
                yield one.subject, dataset


def _certified(view: View) -> Iterator[tuple[Digest, str, str]]:
    """Yield (issued certificate, dataset, serial) of those whose very version of the scenario names a dataset.

    Certificates are public; that their scenario is built on a dataset is shown to those who see that version of it.
    """
    issued = [(one.digest, certificate_in(one)) for one in view.find("issued-certificate", limit=_ALL)]
    versions = dict[Digest, str | None]()
    for batch in _batches(sorted({certificate.scenario.digest for _, certificate in issued})):
        versions |= {digest: _dataset_of(found.body) for digest, found in view.get_all(batch).items()}
    for digest, certificate in issued:
        dataset = versions.get(certificate.scenario.digest)
        if dataset is not None:
            yield digest, dataset, certificate.serial


@lru_cache(maxsize=_REMEMBERED)
def _dataset_of(scenario: bytes) -> str | None:
    return Scenario.from_json_value(json.loads(scenario)).data.dataset


def _batches(items: Iterable[T]) -> Iterator[Sequence[T]]:
    rest = iter(items)
    while batch := tuple(islice(rest, MAXIMUM_PAGE)):
        yield batch
