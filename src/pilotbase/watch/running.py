"""Running the detectors of a service over what is new: resumable, and exactly once a case.

Everything is computed outside a transaction and written in one: states, how far was read, points, warnings. A pass that
another has overtaken writes nothing (`Standing.passes`). So a worker may be killed at any moment, and two may run at
once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from pilotbase.documents.profile import ReferenceProfile
from pilotbase.documents.vocabularies import Colour
from pilotbase.documents.watch import Watch
from pilotbase.watch.cohorts import Cohort, close_due, due_services, next_closed, note_entered
from pilotbase.watch.entering import CohortLosses, losses_of
from pilotbase.watch.following import SILENCE, Followed, Following, States, follow
from pilotbase.watch.labelled import cases_of
from pilotbase.watch.packs import Pack, microseconds
from pilotbase.watch.promises import promised_of
from pilotbase.watch.standings import Standing, armed_services, move_on, standing_of, states_of, write_states
from pilotbase.watch.subjects import service_of, stored_service
from pilotbase.watch.warnings import raise_warnings
from pilotbase.workspace import watch_tables as tables
from pilotbase.workspace.store import View

STEP_CASES = 20_000
"""About so many cases are read in one pass."""
_packs = tables.observation_packs.c


@dataclass(frozen=True)
class _Reached:
    """Up to where a pass has read: the last pack, and the cohort that was entered, if one was."""

    read_to: int
    cohort: Cohort | None = None
    losses: CohortLosses | None = None


def run_all(view: View) -> bool:
    """Do the next piece of work of every service; return whether there may be more at once. The operator's."""
    with view.reading() as connection:
        due = due_services(connection, view.store.clock())
        armed = armed_services(connection)
    for service in due:
        close_cohorts(view, service)
    return any([run_once(view, service) for service in armed])


def run(view: View, service: str) -> None:
    """Let the detectors of a service read everything that is there."""
    close_cohorts(view, service)
    while run_once(view, service):
        pass


def close_cohorts(view: View, service: str) -> None:
    """Close the cohorts of a service whose window for labels has passed."""
    with view.transaction("watch.cohort_closed") as change:
        closed = close_due(change.connection, service, change.now)
        if closed:
            change.record("watch.cohort_closed", [f"service:{service}"], {"cohorts": closed})


def run_once(view: View, service: str) -> bool:
    """Read the next packs of a service, or its next closed cohort, or its silence; return whether there may be more."""
    with view.reading() as connection:
        standing = standing_of(connection, service)
        states = states_of(connection, service)
    if standing is None or not standing.armed:
        return False
    following = _following(view, standing, states)
    reached = _follow_stream(view, standing, following) or _follow_cohort(view, standing, following)
    if reached is not None:
        _write(view, standing, following, reached)
        return True
    if _is_silent(view, following):
        _write(view, standing, following, _Reached(standing.read_to))
    return False


def _following(view: View, standing: Standing, states: States) -> Following:
    watch = view.load(standing.watch, Watch)
    service = service_of(view, standing.service)
    profile = None if watch.profile is None else view.load(watch.profile, ReferenceProfile)
    return follow(watch, promised_of(view, service), profile, states)


def _follow_stream(view: View, standing: Standing, following: Following) -> _Reached | None:
    """Let the detectors of the stream look at the next packs; None where there are none."""
    read_to, cases = standing.read_to, 0
    with view.reading() as connection:
        new = (_packs.service == standing.service, _packs.number > standing.read_to)
        rows = select(_packs.number, _packs.body, _packs.cases, _packs.taken_at).where(*new).order_by(_packs.number)
        for row in connection.execution_options(yield_per=16).execute(rows):
            following.hear([microseconds(row.taken_at)])
            if row.body is not None:
                following.take_pack(Pack.from_bytes(row.body))
            read_to, cases = row.number, cases + row.cases
            if cases >= STEP_CASES:
                break
    return _Reached(read_to) if read_to > standing.read_to else None


def _is_silent(view: View, following: Following) -> bool:
    """Look whether the service has been silent, since it was heard last or else since it was armed."""
    silence = following.stream[SILENCE]
    if silence.detector.seen == 0 and following.watch.armed_at is not None:
        following.hear([microseconds(following.watch.armed_at)])
    following.hear([microseconds(view.store.clock())], heard=False)
    return bool(silence.turns)


def _follow_cohort(view: View, standing: Standing, following: Following) -> _Reached | None:
    """Let the detectors of risk look at the next closed cohort; None where there is none."""
    assert following.watch.armed_at is not None
    with view.reading() as connection:
        cohort = next_closed(connection, standing.service, following.watch.armed_at)
        if cohort is None:
            return None
        if following.promised is None or not following.risks:
            return _Reached(standing.read_to, cohort)
        criteria = [loss for _, loss in following.risks.values()]
        losses = losses_of(cases_of(connection, cohort), following.promised, criteria)
    following.take_cohort(losses)
    return _Reached(standing.read_to, cohort, losses)


def _write(view: View, standing: Standing, following: Following, reached: _Reached) -> None:
    """Write what a pass has found, or nothing where another pass was first."""
    service = stored_service(view, standing.service)
    with view.transaction("watch.warned") as change:
        colour = _highest(following.all)
        if not move_on(change.connection, standing, reached.read_to, colour, change.now):
            return
        write_states(change.connection, standing.service, following.all)
        turns = [turn for followed in following.all for turn in followed.turns]
        raise_warnings(change, view, service, sorted(turns, key=lambda turn: turn.began))
        if reached.cohort is not None:
            note_entered(change.connection, reached.cohort)
            change.record("watch.cohort_entered", [f"service:{standing.service}"], _facts(reached))


def _highest(followed: Sequence[Followed]) -> Colour:
    return max((one.detector.colour for one in followed), key=list(Colour).index, default=Colour.GREEN)


def _facts(reached: _Reached) -> dict[str, str | int]:
    assert reached.cohort is not None
    facts: dict[str, str | int] = {"cohort": reached.cohort.number, "cases": reached.cohort.cases}
    if reached.losses is not None:
        facts |= {"entered": len(reached.losses.at), "labelled": reached.losses.labelled}
    return facts
