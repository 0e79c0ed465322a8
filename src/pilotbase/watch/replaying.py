"""Replaying a watch: what its detectors would have said of what is there, before it is armed."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from pilotbase.data.batches import feature_columns
from pilotbase.documents.texts import Text, percent, text
from pilotbase.documents.vocabularies import CallEnd, Colour, RedBy
from pilotbase.documents.watch import AuditDelay, Dependence, ReferenceProfile, Replay, ReplayedTurn, Watch
from pilotbase.evidence.distributions import variance_ratio_tail
from pilotbase.evidence.monitoring import expected_delay
from pilotbase.evidence.primitive import Floats
from pilotbase.protocols.contract_cases import scalars_of
from pilotbase.protocols.frames import FeatureBatch
from pilotbase.trial.lab import TrialRuntime
from pilotbase.trial.sealed import load_sealed, read_public_sample
from pilotbase.watch.audits import among_audited, drawn
from pilotbase.watch.cohorts import past_cohorts
from pilotbase.watch.detectors.drift import DriftDetector
from pilotbase.watch.following import DRIFT, Following, follow
from pilotbase.watch.labels import LabelledPack, cases_of
from pilotbase.watch.losses import CohortLosses, Promised, losses_of
from pilotbase.watch.packs import Pack, microseconds
from pilotbase.workspace import watch_tables as tables
from pilotbase.workspace.store import View

LONGEST = 500_000
"""Of a longer history the newest cases are replayed, about so many."""
SHOWN = 200
_RARE = 0.001
_LABELS, _TIMES = (5, 10, 20, 50, 100, 200), (1.5, 2.0, 3.0)
"""Labels a period, and how many times the accepted loss, for which a replay says how long red takes."""
_packs = tables.observation_packs.c


def replay(lab: TrialRuntime, view: View, watch: Watch, promised: Promised | None) -> Replay:
    """Return what the detectors of ``watch`` would have said, from the beginning; nothing is written."""
    profile = None if watch.profile is None else view.load(watch.profile, ReferenceProfile)
    following = follow(watch, promised, profile)
    clustering = _Clustering(following)
    cases, seen = _replay_history(view, following, clustering)
    source: Literal["history", "public_sample", "nothing"] = "history" if cases else "nothing"
    if not cases and promised is not None and DRIFT in following.stream:
        cases, source = _replay_sample(lab, view, following, promised), "public_sample"
    turns = sorted((turn for followed in following.all for turn in followed.turns), key=lambda turn: turn.began)
    found = Replay(
        service=watch.service,
        watch=watch.digest(),
        source=source,
        cases=cases,
        turns=tuple(ReplayedTurn.model_validate(turn, from_attributes=True) for turn in turns[:SHOWN]),
        turned=len(turns),
        dependence=tuple(clustering.found()),
        delays=tuple(_delays(watch)),
        at=view.store.clock(),
        **seen,
    )
    return found.model_copy(update={"cautions": tuple(_cautions(following, found))})


def _delays(watch: Watch) -> Iterator[AuditDelay]:
    """Yield how long red takes by the number of labels, the slowest criterion; nothing where red is not by period."""
    risks = [risk for risk in watch.risks if risk.red_by is RedBy.PERIOD]
    for labels in sorted({*_LABELS, *([watch.audit_labels] if watch.audit_labels else [])}) if risks else ():
        for times in _TIMES:
            each = (expected_delay(one.r0, min(times * one.r0, 0.999), labels, one.periods, one.alpha) for one in risks)
            longest = max(each)
            reached = longest <= min(one.periods for one in risks)
            yield AuditDelay(labels=labels, times=times, periods=math.ceil(longest) if reached else None)


@dataclass
class _Blocks:
    """Sums over blocks of losses, from which the variance between them and within them comes."""

    blocks: int = 0
    cases: int = 0
    total: float = 0.0
    squares: float = 0.0
    of_means: float = 0.0

    def add(self, values: Floats, codes: NDArray[np.int64]) -> None:
        counted = ~np.isnan(values)
        if not counted.any():
            return
        _, block, sizes = np.unique(codes[counted], return_inverse=True, return_counts=True)
        sums = np.bincount(block, values[counted])
        self.blocks, self.cases = self.blocks + len(sizes), self.cases + int(counted.sum())
        self.total, self.squares = self.total + sums.sum(), self.squares + float((values[counted] ** 2).sum())
        self.of_means += float((sums**2 / sizes).sum())

    def compared(self, criterion: str, of: RedBy) -> Dependence | None:
        """Return the variance of the blocks' means beside that of independent cases; None: too few of either."""
        between, within = self.blocks - 1, self.cases - self.blocks
        left = self.squares - self.of_means
        if between < 1 or within < 1 or left <= 0:
            return None
        ratio = max((self.of_means - self.total**2 / self.cases) / between / (left / within), 0.0)
        return Dependence(
            criterion=criterion,
            of=of,
            blocks=self.blocks,
            cases=self.cases,
            factor=ratio,
            beyond_chance=variance_ratio_tail(ratio, between, within) < _RARE,
        )


class _Clustering:
    """How strongly losses of a criterion depend on each other within a period and, where units are known, a unit."""

    def __init__(self, following: Following) -> None:
        self._criteria = [str(loss.rule) for _, loss in following.risks.values()]
        kinds = (RedBy.PERIOD, RedBy.UNIT) if following.watch.unit is not None else (RedBy.PERIOD,)
        self._found = {(place, of): _Blocks() for place in range(len(self._criteria)) for of in kinds}

    def add(self, cohort: CohortLosses) -> None:
        for (place, of), blocks in self._found.items():
            if of is RedBy.PERIOD:
                values = cohort.losses[place].values
                blocks.add(values, np.zeros(len(values), dtype=np.int64))
            elif cohort.units is not None:
                blocks.add(cohort.by_case[place].values, np.unique(cohort.units, return_inverse=True)[1])

    def found(self) -> Iterator[Dependence]:
        for (place, of), blocks in self._found.items():
            one = blocks.compared(self._criteria[place], of)
            if one is not None:
                yield one


def _replay_history(view: View, following: Following, clustering: _Clustering) -> tuple[int, dict[str, int]]:
    """Return how many cases the detectors of the stream have seen, and what those of risk have."""
    cases, seen = 0, {"cohorts": 0, "entered": 0, "labelled": 0}
    heard: list[int] = []
    with view.reading() as connection:
        for pack in _newest_packs(connection, following.watch.service):
            following.take_pack(pack)
            heard += pack.at
            cases += len(pack)
        following.hear_all(sorted(heard))
        if following.promised is None:
            return cases, seen
        criteria = [loss for _, loss in following.risks.values()]
        for cohort in _asked_cohorts(connection, following.watch, view.store.clock()):
            packs: Iterable[LabelledPack] = cohort
            if following.watch.audit_labels is not None:
                random = np.random.default_rng(seen["cohorts"])
                keys = drawn(cohort, following.watch.audit_labels, following.promised, criteria, random)
                packs = among_audited(cohort, keys)
            losses = losses_of(packs, following.promised, criteria, following.watch)
            following.take_cohort(losses)
            clustering.add(losses)
            seen["cohorts"] += 1
            seen["entered"] += len(losses.at)
            seen["labelled"] += losses.labelled
    return cases, seen


def _asked_cohorts(connection: Connection, watch: Watch, now: datetime) -> Iterator[list[LabelledPack]]:
    """Yield the cases of each span that ``watch`` asks for, whatever cohorts they were kept in, in the order of spans.

    Of a span that is not over yet there is nothing.
    """
    span = watch.cohort_seconds * 1_000_000
    waiting = defaultdict[int, list[LabelledPack]](list)
    for kept in past_cohorts(connection, watch.service, timedelta(seconds=watch.label_seconds), now):
        for over in sorted(number for number in waiting if (number + 1) * span <= microseconds(kept.begins_at)):
            yield waiting.pop(over)
        for pack in cases_of(connection, kept):
            for number in dict.fromkeys(at // span for at in pack.pack.at):
                waiting[number].append(pack.among([row for row, at in enumerate(pack.pack.at) if at // span == number]))
    yield from (waiting[number] for number in sorted(waiting) if (number + 1) * span <= microseconds(now))


def _newest_packs(connection: Connection, service: str) -> Iterator[Pack]:
    """Yield the packs of a service in their order, of a long history the newest."""
    here = (_packs.service == service, _packs.body.is_not(None))
    sizes = connection.execute(select(_packs.number, _packs.cases).where(*here).order_by(_packs.number)).all()
    after = sum(row.cases for row in sizes)
    for row in sizes:
        if after <= LONGEST:
            yield Pack.from_bytes(connection.scalar(select(_packs.body).where(_packs.number == row.number)) or b"")
        after -= row.cases


def _replay_sample(lab: TrialRuntime, view: View, following: Following, promised: Promised) -> int:
    """Let the detectors of the inputs look at the public sample, row by row, as if it had just come."""
    sealed = load_sealed(view, promised.plan.sealed)
    sample = read_public_sample(lab, sealed)
    columns = feature_columns(sample, promised.plan.contract, promised.may_miss)
    count = sample.height
    pack = Pack(
        ids=[f"sample/{row}" for row in range(count)],
        at=[microseconds(view.store.clock())] * count,
        milliseconds=[None] * count,
        versions=[None] * count,
        ends=[CallEnd.ANSWERED.value] * count,
        inputs=scalars_of(FeatureBatch(columns, count)),
    )
    following.take_pack(pack)
    return count


def _cautions(following: Following, found: Replay) -> Iterator[Text]:
    """Yield what speaks against relying on the watch as it is prepared."""
    drift = following.stream.get(DRIFT)
    if found.source != "history":
        yield text("watching.no_history")
    if found.cases and drift is not None:
        yield from _expected_drift(following.watch, found, sum(turn.colour is not Colour.GREEN for turn in drift.turns))
    caution = drift.detector.caution if drift is not None and isinstance(drift.detector, DriftDetector) else None
    if caution is not None:
        yield caution
    if found.entered > found.labelled:
        share = percent(1 - found.labelled / found.entered, ".1f")
        yield text("watching.labels_missing", share=share, cases=found.entered)
    if not following.risks:
        yield text("watching.no_promise")
    for risk, one in ((risk, one) for one in found.dependence for risk in following.watch.risks):
        if one.beyond_chance and one.criterion == risk.criterion and _counts_as_independent(risk.red_by, one.of):
            told = {"rule": one.criterion, "factor": f"{one.factor:.2g}", "blocks": one.blocks, "cases": one.cases}
            yield text(f"watching.dependent_{one.of}", **told)


def _counts_as_independent(red_by: RedBy, within: RedBy) -> bool:
    """Return whether red counts losses within one period, or unit, as independent."""
    order = list(RedBy)
    return order.index(red_by) > order.index(within)


def _expected_drift(watch: Watch, found: Replay, alarms: int) -> Iterator[Text]:
    """Yield how many alarms of drift are chance: on the public sample, which is the reference itself, all should be."""
    chunks = found.cases // watch.chunk
    expected = f"{watch.drift_alarms * chunks / watch.drift_chunks:.2g}"
    told = {"chunks": chunks, "chunk": watch.chunk, "expected": expected, "alarms": alarms}
    yield text("watching.drift_on_sample" if found.source == "public_sample" else "watching.drift_on_history", **told)
