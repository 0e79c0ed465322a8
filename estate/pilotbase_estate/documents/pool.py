"""Pool 算力池: machines that organisations share, what each of them is promised, the rules of sharing, and jobs.

Quotas cap and promise, fair share orders, vouchers pay: three separate things. Decided by `pilotbase_estate.sharing`.
A compute job 算力作业 is what somebody requests from a pool, and for how long at most; with its estimate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

import pydantic
from pydantic import Field, StringConstraints

from pilotbase.documents.base import Document, Localized, Moment, Name, Part
from pilotbase.documents.estimate import (
    Amount,
    Ceiling,
    Currency,
    Money,
    Span,
    exceeds,
    format_money,
    format_price,
    format_time,
)
from pilotbase.documents.moments import format_minute
from pilotbase.documents.permissions import OPERATOR, PluginAct
from pilotbase.documents.quantities import Duration, format_duration, format_span
from pilotbase.documents.texts import Text, text
from pilotbase_estate.documents.resources import (
    ANY_GPU,
    Demand,
    Resources,
    Vector,
    beyond,
    counted,
    format_amount,
    guaranteed,
    is_kind,
    plus,
    total,
)
from pilotbase_estate.documents.vocabularies import JobKind

MOST_MACHINES = 10_000
NOTHING = Resources.of({})
Label = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$")]
Labels = Annotated[Mapping[Label, Label], pydantic.Field(max_length=20)]
MOST_MEMBERS = 10_000


class PoolAct(PluginAct):
    """Acts on pools."""

    SET = "pool.set", OPERATOR


class Machines(Part):
    """A group of identical machines."""

    name: Name
    """The name of one; several are called ``NAME-1``, ``NAME-2`` and so on."""
    count: int = pydantic.Field(default=1, ge=1, le=MOST_MACHINES)
    capacity: Resources
    """What jobs may have of each; leave out what the machine needs itself."""
    labels: Labels = pydantic.Field(default={})
    """Labels that a job may require, such as ``zone: hall-2``."""

    @property
    def names(self) -> tuple[str, ...]:
        if self.count == 1:
            return (self.name,)
        return tuple(f"{self.name}-{number}" for number in range(1, self.count + 1))


class Quota(Part):
    """Quota 配额 of one organisation. A dimension that a limit does not name is not limited."""

    organisation: Name
    guarantee: Resources = NOTHING
    """What it gets whenever it asks, within ``minimum_run``; others may borrow what is idle."""
    limit: Resources = NOTHING
    """The most that it ever has, including what it borrows."""
    person_limit: Resources = NOTHING
    """The most that any one of its people ever has."""
    weight: int = pydantic.Field(default=1, ge=1, le=1000)
    """Its part of what is promised to nobody, or is idle, relative to the weights of others."""


class Window(Part):
    """Maintenance window: no job runs in it, and none starts that could run into it."""

    starts: Moment
    ends: Moment
    machines: tuple[Name, ...] = ()
    """Which machines, by the names of their entries; all if none are named."""
    why: Localized | str | None = None


class Seats(Part):
    """Work of the base itself that takes a seat 席位 in the pool before it opens boxes; work left out takes none.

    It counts against the quota of the organisation that it belongs to, or of the base if that organisation has none
    here. With ``{}``, each box needs what its limits say, in the dimensions that the machines name; values given here
    take precedence.
    """

    trials: Demand | None = None
    services: Demand | None = None


class Pool(Document, published=True):
    """A pool; each change is a new version under the same name."""

    document: Literal["pool/1"] = "pool/1"
    name: Name
    title: Annotated[str, StringConstraints(min_length=1, max_length=200)] | Localized
    machines: tuple[Machines, ...] = pydantic.Field(min_length=1, max_length=2000)
    quotas: tuple[Quota, ...] = pydantic.Field(default=(), max_length=2000)
    """Organisations that are not named here get nothing from the pool."""
    maintenance: tuple[Window, ...] = pydantic.Field(default=(), max_length=500)
    shared_gpus: bool = False
    """Whether a job may have a share of one GPU."""
    minimum_run: Duration = 600
    """How long a job runs before it can be evicted, at least a second; then, at the latest, a guarantee is restored."""
    evictions_at_most: int = pydantic.Field(default=3, ge=0, le=100)
    """After this many evictions a job runs where nobody can evict it."""
    half_life: Duration = 86_400
    """After this time, past use beyond an organisation's guarantee counts half in the order; 0: it does not count."""
    priority_step: Duration = 3600
    """How much longer a job must have waited to go before one whose priority is higher by one."""
    longest_job: Duration = pydantic.Field(default=86_400, gt=0)
    """The most time that a job may request; a service renews its request."""
    seats: Seats | None = None
    """Which work of the base itself takes room here."""

    stand_ins: ClassVar[Mapping[str, Any]] = {"name": "pool", "title": "-"}
    rests_on: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "pool.guarantees_beyond": ("machines",),
        "pool.foreign_machine": ("machines",),
        "pool.minimum_beyond": ("longest_job",),
    }

    @property
    def capacities(self) -> Mapping[str, Vector]:
        """Return machine → what jobs may have of it, in the order of the document."""
        return {name: alike.capacity.vector for alike in self.machines for name in alike.names}

    @property
    def capacity(self) -> Vector:
        """Return what all machines have together."""
        return total(self.capacities.values())

    def _problems(self) -> Iterator[tuple[str, Text]]:
        if sum(alike.count for alike in self.machines) > MOST_MACHINES:
            yield "machines", text("pool.too_many_machines", most=MOST_MACHINES)
            return
        machines = Counter(name for alike in self.machines for name in alike.names)
        for index, alike in enumerate(self.machines):
            double = next((name for name in alike.names if machines[name] > 1), None)
            if double is not None:
                yield f"machines[{index}].name", text("pool.double_machine", machine=double)
        organisations = Counter(quota.organisation for quota in self.quotas)
        for index, quota in enumerate(self.quotas):
            if organisations[quota.organisation] > 1:
                place = f"quotas[{index}].organisation"
                yield place, text("pool.double_organisation", organisation=quota.organisation)
            yield from _over_its_limit(f"quotas[{index}]", quota)
        yield from self._promised_too_much()
        yield from self._windows()
        if self.minimum_run > self.longest_job:
            longest, least = format_duration(int(self.longest_job)), format_duration(int(self.minimum_run))
            yield "minimum_run", text("pool.minimum_beyond", found=least, longest=longest)

    def _promised_too_much(self) -> Iterator[tuple[str, Text]]:
        """Yield each dimension in which more is guaranteed than there is, at the quota where it no longer fits."""
        promised: dict[str, int] = {}
        there, told = counted(self.capacity), set[str]()
        vectors = [guaranteed(quota.guarantee.vector) for quota in self.quotas]
        for index, vector in enumerate(vectors):
            for name, amount in vector.items():
                promised[name] = promised.get(name, 0) + amount
                known = name in told or (name == ANY_GPU and any(map(is_kind, told)))
                if promised[name] > there.get(name, 0) and not known:
                    told.add(name)
                    place = f".{name}" if name in self.quotas[index].guarantee.vector else ""
                    found = format_amount(name, sum(one.get(name, 0) for one in vectors))
                    problem = text(
                        "pool.guarantees_beyond",
                        dimension=name,
                        found=found,
                        most=format_amount(name, there.get(name, 0)),
                    )
                    yield f"quotas[{index}].guarantee{place}", problem

    def _windows(self) -> Iterator[tuple[str, Text]]:
        known = {alike.name for alike in self.machines}
        for index, window in enumerate(self.maintenance):
            place = f"maintenance[{index}]"
            if window.ends <= window.starts:
                starts, ends = format_minute(window.starts), format_minute(window.ends)
                yield f"{place}.ends", text("pool.window_ends_before", starts=starts, ends=ends)
            for number, name in enumerate(window.machines):
                if name not in known:
                    yield f"{place}.machines[{number}]", text("pool.foreign_machine", machine=name)


def _over_its_limit(place: str, quota: Quota) -> Iterator[tuple[str, Text]]:
    vector = guaranteed(quota.guarantee.vector)
    for name, more in beyond(vector, quota.limit.vector).items():
        found, most = format_amount(name, vector[name]), format_amount(name, vector[name] - more)
        yield f"{place}.limit.{name}", text("pool.guarantee_over_limit", dimension=name, found=found, most=most)


class ComputeJob(Document, published=True):
    """One job. All its members start together, or none does."""

    document: Literal["compute_job/1"] = "compute_job/1"
    name: Name
    """Names the job in its pool."""
    pool: Name
    organisation: Name
    """Whose quota it uses."""
    person: Annotated[str, StringConstraints(min_length=1, max_length=120)]
    kind: JobKind = JobKind.OTHER
    demand: Demand
    """What each member requests."""
    members: int = pydantic.Field(default=1, ge=1, le=MOST_MEMBERS)
    """Size of the gang."""
    labels: Labels = pydantic.Field(default={})
    """Labels that a machine must carry."""
    priority: int = pydantic.Field(default=0, ge=-100, le=100)
    """Higher goes first, among the jobs of its organisation only."""
    max_seconds: Duration = pydantic.Field(gt=0)
    """After this time it is ended."""
    preemptible: bool = True
    """Whether it may be evicted and start again; a job that may not is never run on borrowed resources."""
    submitted: Moment

    @property
    def total(self) -> Vector:
        """What all its members request together."""
        return plus({}, self.demand.vector, self.members)


class JobEstimate(Part):
    """What a job takes and costs, shown before it is handed in."""

    most_seconds: Amount
    """By the clock; the job is ended then."""
    most_money: Money | None = None
    """In whole hundredths of ``currency``; None: its pool has no prices."""
    runs: int = Field(ge=0)
    """How many earlier runs of its program are known."""
    wall: Span | None = None
    """The estimate for the next run, in seconds; None: there are no earlier runs."""
    money: Span | None = None
    currency: Currency = "CNY"
    rates: Mapping[str, Money] = {}
    """Dimension requested → price in hundredths, in the units of `PriceList`; a dimension that is not named is free."""

    def above(self, ceiling: Ceiling) -> bool:
        """Return whether it may exceed a limit: by earlier runs if there are any, otherwise at the most."""
        seconds = self.most_seconds if self.wall is None else self.wall.high
        return exceeds(ceiling, seconds, self.most_money if self.money is None else self.money.high, self.currency)

    def said(self) -> Text:
        """Return it in a sentence."""
        price = [] if self.most_money is None else [format_money(self.most_money, self.currency)]
        most = "; ".join([format_span(self.most_seconds), *price])
        if self.wall is None:
            return text("estimate.job_most", most=most)
        costs = [] if self.money is None else [format_price(self.money, self.currency)]
        earlier = "; ".join([format_time(self.wall), *costs])
        return text("estimate.job_earlier", most=most, runs=self.runs, earlier=earlier)
