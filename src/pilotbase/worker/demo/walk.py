"""The walk: one demand from start to end, from a published scenario over certificate and service to warning and ledger.

Nothing in it is staged: the departures are real and in order; trial, gateway, watch and reactions are those of any
base. Only time is short: a day of departures is asked about, and labelled, in about a second.

It ends the same way on every machine. A day is a cohort of its own however long it takes, and enters before the next is
asked about. The order within a cohort is that of a hash of the case names, which are the day and the row; and the
promise leaves so much room that hardly any order would change the story (``tests/worker/test_walk_orders.py``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Protocol

import polars as pl

from pilotbase.documents.loading import load_document
from pilotbase.documents.observation import LabelBatch, ObservationBatch, Scalar
from pilotbase.documents.record import ApplicationVersion
from pilotbase.documents.scenario import Scenario
from pilotbase.documents.states import CommissionState
from pilotbase.documents.subjects import name_of, service_subject, watch_head
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import Colour, ServingState
from pilotbase.roadmap.ledger import count_anew
from pilotbase.service.standing import standing_of
from pilotbase.watch.incidents import list_incidents
from pilotbase.watch.observations import ingest, require_taken
from pilotbase.watch.running import run
from pilotbase.watch.warnings import warnings_of
from pilotbase.worker.base import Base
from pilotbase.worker.demo.examples import example_table, find_examples, place_of, prepare_example
from pilotbase.worker.demo.records import Cast, PlayedTrial, is_played, open_scenario, register, submit
from pilotbase.worker.demo.walked_service import KEPT_TERMS, SERVICE, TERMS, armed, new_key, put_into_service
from pilotbase.worker.matching import match_among, proofs_that_hold
from pilotbase.worker.reactions.feed import Reactions
from pilotbase.worker.services.watching import take_in
from pilotbase.workspace.store import View

EXAMPLE, LATER = "walk", "later.csv"
VERSIONS = ("late-arrivals-1", "late-arrivals-2")
DAYS_AFTER = 4
"""Days that are asked about after the service moved off the version that broke its promise."""
MOST_DAYS = 30
_TIME, _TRUTH, _CUT = "scheduled_departure", "arrival", 0.2


@dataclass(frozen=True)
class WalkStep:
    """One event on the way; a warning has a colour."""

    stage: str
    """Names the stage; text ``walk.stage.<stage>``."""
    what: Text
    colour: Colour | None = None


class CaseCaller(Protocol):
    """Asks the gateway about the cases of one call, as any client does; returns one answer for each case."""

    def __call__(
        self, service: str, secret: str, call: str, columns: Mapping[str, Sequence[Scalar]], /
    ) -> Sequence[Scalar]: ...


def is_walked(base: Base) -> bool:
    """Return whether the walk was taken in this base, or broken off before there was a service."""
    return is_played(base, find_examples() / EXAMPLE) and not is_proven(base)


def is_proven(base: Base) -> bool:
    """Return whether the walk has its service, and nothing was asked of that yet."""
    found = base.lab.view.named([service_subject(SERVICE), watch_head(SERVICE)])
    return found.keys() == {service_subject(SERVICE)}


def prove_walk(base: Base, cast: Cast, trial_of: Callable[[str, str], PlayedTrial] | None = None) -> Iterator[WalkStep]:
    """Publish the demand, find its application, certify both of its versions, put them into service.

    ``trial_of``: makes the trial of a scenario and an application, in place of one whose steps follow at once.

    Raises:
        PilotbaseError: the packages with the data cannot be fetched.
    """
    register(base, cast)
    folder = prepare_example(base, find_examples(), EXAMPLE)
    example_table(base, find_examples(), EXAMPLE, "later").write_csv(folder / LATER)
    scenario = open_scenario(base, cast, folder)
    yield WalkStep("demand", text("walk.demand", scenario=name_of(scenario)))
    for version in VERSIONS:
        application = submit(base, cast, folder / "applications" / version, scenario)
        if version == VERSIONS[0]:
            yield WalkStep("match", _matched(base))
        trial = trial_of(scenario, application) if trial_of else PlayedTrial(base, cast, scenario, application)
        trial.reach(CommissionState.CERTIFIED)
        yield WalkStep("proof", _proven(base, trial))
        yield WalkStep("service", put_into_service(base, trial))


def live_walk(base: Base, ask: CaseCaller) -> Iterator[WalkStep]:
    """Arm the watch, and ask about the departures of April, day by day, until the version that failed is moved off."""
    yield WalkStep("watch", armed(base, TERMS))
    view = base.lab.view
    asking = partial(ask, SERVICE, new_key(view))
    known, after = {digest for digest, _ in warnings_of(view, SERVICE)}, 0
    for day, departures in _days(pl.read_csv(place_of(base, EXAMPLE) / LATER)):
        yield WalkStep("call", _lived(base, asking, day, departures))
        _wait_for_cohort(view)
        run(view, SERVICE)
        while Reactions(base).round():
            pass
        yield from _warned(view, known)
        moved = standing_of(view, SERVICE).state is not ServingState.SERVING
        if moved and after == 0:
            yield from _reacted(view)
            yield WalkStep("watch", armed(base, KEPT_TERMS))
        after += moved
        if after > DAYS_AFTER:
            break
    counts = count_anew(view, view.store.clock()).counts
    yield WalkStep("ledger", text("walk.ledger", **{figure.value: count for figure, count in counts.items()}))


def _matched(base: Base) -> Text:
    """Return which of all the examples' applications fits best."""
    examples = find_examples()
    demand = load_document(Scenario, examples / EXAMPLE / "scenario.yaml")
    found = match_among(demand, [examples], proofs_that_hold(base.lab.view, base.lab.store.clock())).matches
    best = found.ranked[0]
    return text("walk.match", application=name_of(best.subject), looked=found.looked_at)


def _proven(base: Base, trial: PlayedTrial) -> Text:
    version = base.lab.view.load(trial.record().documents["application"], ApplicationVersion).application
    return text("walk.proof", application=version.name, version=version.version)


def _days(later: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield the days and their departures, in their order."""
    day = pl.col(_TIME).str.slice(0, 10)
    for name in later.select(day.unique().sort()).to_series().to_list()[:MOST_DAYS]:
        yield name, later.filter(day == name)


def _lived(base: Base, ask: partial[Sequence[Scalar]], day: str, departures: pl.DataFrame) -> Text:
    """Ask about the departures of a day, hand in how they ended, and return how many of the late ones were found."""
    scenario = load_document(Scenario, find_examples() / EXAMPLE / "scenario.yaml")
    answers = ask(day, {field.name: departures[field.name].to_list() for field in scenario.feature_fields})
    ends = departures[_TRUTH].to_list()
    labels = LabelBatch(service=SERVICE, batch=day, labels={f"{day}/{row}": end for row, end in enumerate(ends)})
    _take_together(base, labels)
    late = [row for row, end in enumerate(ends) if end == scenario.positive]
    found = sum(isinstance(answer, float) and answer >= _CUT for answer in (answers[row] for row in late))
    return text("walk.call", day=day, departures=len(ends), late=len(late), found=found)


def _take_together(base: Base, labels: LabelBatch) -> None:
    """Take in what the gateway has written together with its labels: none can be late."""

    def take_all(batches: Sequence[ObservationBatch]) -> None:
        require_taken(ingest(base.lab.view, [*batches, labels]))

    take_in(base, take_all)


def _wait_for_cohort(view: View) -> None:
    """Wait until the cohort of the last answers has closed, so that the next question falls into another."""
    now = view.store.clock()
    over = now.replace(microsecond=0) + timedelta(seconds=TERMS.cohort_seconds)
    time.sleep((over - now).total_seconds())


def _warned(view: View, known: set[str]) -> Iterator[WalkStep]:
    """Yield new warnings, oldest first."""
    for digest, warning in reversed(warnings_of(view, SERVICE)):
        if digest not in known:
            known.add(digest)
            yield WalkStep("warning", warning.reason, warning.colour)


def _reacted(view: View) -> Iterator[WalkStep]:
    """Yield what the base has done by itself."""
    state = standing_of(view, SERVICE).state
    yield WalkStep("countermeasure", text("walk.moved", service=SERVICE, state=text(f"serving.{state}")))
    for incident in list_incidents(view, SERVICE, closed=False):
        lines = len(incident.timeline)
        grade = text(f"grade.{incident.grade}")
        yield WalkStep("incident", text("walk.incident", number=incident.number, grade=grade, lines=lines))
